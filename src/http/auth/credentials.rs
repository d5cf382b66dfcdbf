//! Credentials that callers present, and the digests that they are compared with.

use axum::http::{HeaderMap, header};
use base64::{Engine, prelude::BASE64_STANDARD};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::http::KeyDigest;

/// Digests of secrets. Comparing digests reveals neither content nor length of a secret.
#[derive(Debug)]
pub(super) struct Digests(pub Vec<KeyDigest>);

impl Digests {
    /// The place of the digest of `secret`. Takes equally long whether there is one or not.
    pub fn find(&self, secret: &[u8]) -> Option<usize> {
        let digest: [u8; 32] = Sha256::digest(secret).into();
        let mut found = None;
        for (at, known) in self.0.iter().enumerate() {
            if bool::from(known.0.ct_eq(&digest)) {
                found = Some(at);
            }
        }
        found
    }
}

/// User and password of Basic credentials.
pub(in crate::http) fn basic_credentials(headers: &HeaderMap) -> Option<(Vec<u8>, Vec<u8>)> {
    let mut user = BASE64_STANDARD.decode(credentials(headers, "basic")?).ok()?;
    let colon = user.iter().position(|&byte| byte == b':')?;
    let password = user.split_off(colon + 1);
    user.truncate(colon);
    Some((user, password))
}

/// What stands behind the scheme of an `Authorization` header.
pub(super) fn credentials<'h>(headers: &'h HeaderMap, scheme: &str) -> Option<&'h str> {
    let (given, credentials) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    given.eq_ignore_ascii_case(scheme).then(|| credentials.trim())
}

/// Headers that tests present.
#[cfg(test)]
pub(super) mod presented {
    use super::*;

    pub fn authorization(value: &str) -> HeaderMap {
        HeaderMap::from_iter([(header::AUTHORIZATION, value.parse().unwrap())])
    }

    pub fn basic(user: &str, password: &str) -> HeaderMap {
        authorization(&format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:{password}"))))
    }
}
