//! What a signed callback URL permits: callbacks of one account, about messages to one recipient, until
//! a time.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::Secret;

/// The signed parameters of a URL, percent-decoded and otherwise unchanged.
#[derive(Clone, Copy)]
pub struct Permit<'a> {
    /// The account's name.
    pub account: &'a str,
    /// The recipient, in any spelling.
    pub to: &'a str,
    /// The last moment at which it is valid, in seconds since the Unix epoch.
    pub exp: &'a str,
}

impl Permit<'_> {
    /// The signature, in hexadecimal: HMAC-SHA256 with `secret` over account, recipient and expiry, joined by line
    /// feeds.
    #[must_use]
    pub fn sign(&self, secret: &Secret) -> String {
        hex::encode(self.mac(secret).finalize().into_bytes())
    }

    /// Whether `signature` was made with `secret`. Compares in constant time.
    #[must_use]
    pub fn is_signed(&self, signature: &[u8], secret: &Secret) -> bool {
        self.mac(secret).verify_slice(signature).is_ok()
    }

    // Only the recipient can hold a line feed, so no two permits give the same text.
    fn mac(&self, secret: &Secret) -> Hmac<Sha256> {
        let key = secret.reveal().as_bytes();
        let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("an HMAC takes keys of any length");
        for part in [self.account, "\n", self.to, "\n", self.exp] {
            mac.update(part.as_bytes());
        }
        mac
    }
}

/// Shows the account only: a permit names a recipient, which must not reach a log.
impl std::fmt::Debug for Permit<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Permit").field("account", &self.account).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PERMIT: Permit<'static> = Permit { account: "acme", to: "+919812345670", exp: "1790000000" };

    #[test]
    fn the_signature_is_the_one_that_everybody_elses_hmac_makes() {
        // printf 'acme\n+919812345670\n1790000000' | openssl dgst -sha256 -hmac 'a signing secret'
        let signature = PERMIT.sign(&"a signing secret".into());
        assert_eq!(signature, "ffbb09549c3c58ddf48767bc6f6f2d2391b47b6c4c309c8d7b99bda25ef4c108");
    }

    #[test]
    fn any_other_part_or_secret_has_another_signature() {
        let secret: Secret = "a signing secret".into();
        let signature = hex::decode(PERMIT.sign(&secret)).unwrap();
        assert!(PERMIT.is_signed(&signature, &secret));
        assert!(!PERMIT.is_signed(&signature, &"another secret".into()));
        assert!(!PERMIT.is_signed(&signature[..31], &secret) && !PERMIT.is_signed(b"", &secret));
        for other in [
            Permit { account: "acme2", ..PERMIT },
            Permit { to: "+919812345671", ..PERMIT },
            Permit { exp: "1790000001", ..PERMIT },
        ] {
            assert!(!other.is_signed(&signature, &secret), "{other:?}");
        }
        assert_eq!(format!("{PERMIT:?}"), "Permit { account: \"acme\", .. }");
    }
}
