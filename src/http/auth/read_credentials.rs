//! What opens an account to those who ask in Exotel's way.

use super::credentials::Digests;
use crate::{access::Secret, http::KeyDigest};

/// What reads an account in Exotel's way: a key and its token, as Basic credentials.
#[derive(Debug)]
pub(in crate::http) struct ReadCredentials {
    key: Digests,
    token: Digests,
}

impl ReadCredentials {
    pub fn new(key: &Secret, token: &Secret) -> Self {
        let digest = |secret: &Secret| Digests(vec![KeyDigest::of(secret.reveal())]);
        Self { key: digest(key), token: digest(token) }
    }

    /// Whether both are right. The token is compared even where the key is wrong.
    pub fn match_pair(&self, key: &[u8], token: &[u8]) -> bool {
        self.key.find(key).is_some() & self.token.find(token).is_some()
    }
}
