//! Callback URLs that are signed for one recipient, until a time.

use std::borrow::Cow;

use crate::{
    access::{Permit, Secret},
    domain::{Account, Recipient, Time},
    exotel::query,
};

/// The secrets that an account's URLs may be signed with.
#[derive(Debug)]
pub(super) struct Signatures(Vec<Secret>);

/// What is wrong with a signed URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case")]
pub(in crate::http) enum SignatureFault {
    /// It is not signed.
    Unsigned,
    /// It is not signed with one of the secrets, or something of it was altered.
    Forged,
    /// Its time is over.
    Expired,
    /// The callback is about another recipient, or does not say which.
    OtherRecipient,
}

/// The recipient that a URL is signed for, as the URL spells it.
#[derive(PartialEq, Eq)]
pub(in crate::http) struct SignedFor(String);

impl std::fmt::Debug for SignedFor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SignedFor")
    }
}

impl Signatures {
    pub fn new(secrets: &[Secret]) -> Self {
        Self(secrets.to_vec())
    }

    /// Whether no secret is configured.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whom the URL of this query string is signed for, now.
    pub fn check(&self, account: &str, query: &str, now: Time) -> Result<SignedFor, SignatureFault> {
        let (mut to, mut exp, mut sig) = (None, None, None);
        for (key, value) in query::pairs(query) {
            let place = match &*key {
                "to" => &mut to,
                "exp" => &mut exp,
                "sig" => &mut sig,
                _ => continue,
            };
            // What is said twice is not what was signed.
            if place.replace(value).is_some() {
                return Err(SignatureFault::Forged);
            }
        }
        let sig = sig.ok_or(SignatureFault::Unsigned)?;
        let (Some(to), Some(exp)) = (to, exp) else { return Err(SignatureFault::Forged) };
        let to = with_its_plus(to);
        let permit = Permit { account, to: &to, exp: &exp };
        let signature = hex::decode(&*sig).map_err(|_| SignatureFault::Forged)?;
        let compared = self.0.iter().map(|secret| permit.is_signed(&signature, secret));
        if !compared.fold(false, |signed, one| signed | one) {
            return Err(SignatureFault::Forged);
        }
        let plain = exp.bytes().all(|byte| byte.is_ascii_digit());
        let until: i64 = exp.parse().ok().filter(|_| plain).ok_or(SignatureFault::Forged)?;
        if until < now.timestamp() { Err(SignatureFault::Expired) } else { Ok(SignedFor(to.into_owned())) }
    }
}

impl SignedFor {
    /// The recipient in E.164, or as the URL spells it where that is no number, if a callback about `said` is what
    /// the URL was signed for.
    pub(in crate::http) fn check(
        &self,
        said: Option<&str>,
        account: &Account,
    ) -> Result<String, SignatureFault> {
        let read = |text| Recipient::read(text, account.country);
        let own = read(&self.0);
        let fits = said.is_some_and(|said| own.may_be(&read(said)));
        if fits {
            Ok(own.e164.unwrap_or_else(|| self.0.split_whitespace().collect()))
        } else {
            Err(SignatureFault::OtherRecipient)
        }
    }
}

/// A `+` that somebody left unencoded at the beginning of a number is a space by now.
fn with_its_plus(to: Cow<'_, str>) -> Cow<'_, str> {
    match to.strip_prefix(' ') {
        Some(rest) => Cow::Owned(format!("+{rest}")),
        None => to,
    }
}

#[cfg(test)]
mod tests {
    use url::form_urlencoded;

    use super::*;
    use crate::domain::AccountName;

    const NEW: &str = "the new signing secret";
    const OLD: &str = "the old signing secret";
    const EXP: &str = "1736917200";

    fn query(to: &str, exp: &str, secret: &str) -> String {
        let permit = Permit { account: "acme", to, exp };
        let pairs = [("to", to), ("exp", exp), ("sig", &permit.sign(&secret.into()))];
        form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
    }

    fn at(query: &str, now: i64) -> Result<SignedFor, SignatureFault> {
        let signatures = Signatures::new(&[NEW.into(), OLD.into()]);
        signatures.check("acme", query, Time::from_timestamp(now, 0).unwrap())
    }

    #[test]
    fn any_secret_signs_until_the_second_it_says() {
        let to = |number: &str| Ok(SignedFor(number.to_owned()));
        for secret in [NEW, OLD] {
            let query = query("+919812345670", EXP, secret);
            assert_eq!(at(&query, 1_736_917_200), to("+919812345670"));
            assert_eq!(at(&query, 1_736_917_201), Err(SignatureFault::Expired));
            assert_eq!(at(&query.replace("%2B", "+"), 0), to("+919812345670"), "a plus that is not encoded");
            assert_eq!(at(&format!("campaign_id=c&{query}&token="), 0), to("+919812345670"));
            assert_eq!(
                at(
                    &query
                        .to_uppercase()
                        .replace("TO=", "to=")
                        .replace("EXP=", "exp=")
                        .replace("SIG=", "sig="),
                    0
                ),
                to("+919812345670")
            );
        }
        assert_eq!(at(&query("09812345670", EXP, NEW), 0), to("09812345670"), "in any spelling");
    }

    #[test]
    fn what_was_not_signed_is_forged() {
        let good = query("+919812345670", EXP, NEW);
        let sig = good.split("sig=").nth(1).unwrap();
        for (query, fault) in [
            (String::new(), SignatureFault::Unsigned),
            ("to=%2B919812345670&exp=1736917200".to_owned(), SignatureFault::Unsigned),
            (format!("to=%2B919812345670&sig={sig}"), SignatureFault::Forged),
            (format!("exp={EXP}&sig={sig}"), SignatureFault::Forged),
            (good.replace("45670", "45671"), SignatureFault::Forged),
            (good.replace("1736917200", "1736917201"), SignatureFault::Forged),
            (good.replace("1736917200", "01736917200"), SignatureFault::Forged),
            (format!("{good}0"), SignatureFault::Forged),
            (good[..good.len() - 2].to_owned(), SignatureFault::Forged),
            (format!("{good}&to=%2B919812345671"), SignatureFault::Forged),
            (format!("sig=00&{good}"), SignatureFault::Forged),
            (query("+919812345670", EXP, "another signing secret"), SignatureFault::Forged),
            (query("+919812345670", "-1", NEW), SignatureFault::Forged),
            (query("+919812345670", "9e9", NEW), SignatureFault::Forged),
            (query("+919812345670", "99999999999999999999", NEW), SignatureFault::Forged),
            ("to=x&exp=1&sig=".to_owned(), SignatureFault::Forged),
        ] {
            assert_eq!(at(&query, 0), Err(fault), "{query}");
        }
    }

    #[test]
    fn a_callback_is_about_the_recipient_in_any_spelling() {
        let account = Account::unconfigured(AccountName::new("acme").unwrap());
        let check = |said| SignedFor("+919812345670".to_owned()).check(said, &account);
        for said in ["09812345670", "919812345670", "0XXXXX45670"] {
            assert_eq!(check(Some(said)), Ok("+919812345670".to_owned()), "{said}");
        }
        for said in [None, Some(""), Some("09812345671"), Some("XXXXXXXXXX"), Some("null")] {
            assert_eq!(check(said), Err(SignatureFault::OtherRecipient), "{said:?}");
        }
    }
}
