//! API keys and their scopes.

use std::num::NonZeroU32;

use axum::http::HeaderMap;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};

use super::{
    credentials::{Digests, basic_credentials, credentials},
    retry_after_s,
};
use crate::http::{
    Problem, ProblemKind,
    api_key::{ApiKeyList, Scope},
};

/// The API keys in force: digests, and the scopes of each in the same place.
#[derive(Debug)]
pub(in crate::http) struct ApiKeys {
    digests: Digests,
    scopes: Vec<Vec<Scope>>,
    /// The rate limit of each key; none: unlimited.
    limits: Vec<DefaultDirectRateLimiter>,
}

impl ApiKeys {
    pub fn new(keys: &ApiKeyList, questions_per_minute: Option<NonZeroU32>) -> Self {
        let (digests, scopes) = keys.0.iter().map(|key| (key.sha256, key.scopes.clone())).unzip();
        let limit = |limit| RateLimiter::direct(Quota::per_minute(limit));
        let limits = keys.0.iter().filter_map(|_| questions_per_minute.map(limit)).collect();
        Self { digests: Digests(digests), scopes, limits }
    }

    /// Whether the API key in these headers has the scope. `admin` includes every other.
    pub fn authorise(&self, headers: &HeaderMap, scope: Scope) -> Result<(), Problem> {
        if self.scopes.is_empty() {
            return Ok(());
        }
        let key = presented_key(headers).ok_or_else(|| {
            Problem::unauthorized("send an API key, as a Bearer token or as the Basic password")
        })?;
        let found = self.digests.find(&key);
        let found = found.ok_or_else(|| Problem::unauthorized("the API key is not known"))?;
        if let Some(Err(early)) = self.limits.get(found).map(RateLimiter::check) {
            return Err(Problem::too_many("too many questions with this API key", retry_after_s(&early)));
        }
        let granted = &self.scopes[found];
        if granted.contains(&scope) || granted.contains(&Scope::Admin) {
            return Ok(());
        }
        let word: &str = scope.into();
        Err(Problem::new(ProblemKind::MissingScope, format!("the API key lacks the scope `{word}`"))
            .with("scope", word))
    }
}

/// A Bearer token; or the Basic password, or the Basic user where the password is empty.
fn presented_key(headers: &HeaderMap) -> Option<Vec<u8>> {
    credentials(headers, "bearer").map(|token| token.as_bytes().to_vec()).or_else(|| {
        let (user, password) = basic_credentials(headers)?;
        Some(if password.is_empty() { user } else { password })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{
        ApiKeyConfig, KeyDigest,
        auth::credentials::presented::{authorization, basic},
    };

    #[test]
    fn a_key_admits_by_its_scopes() {
        let key = |name: &str, key: &str, scope| ApiKeyConfig {
            name: name.into(),
            sha256: KeyDigest::of(key),
            scopes: vec![scope],
        };
        let keys = ApiKeyList(vec![
            key("r", "dlr_r", Scope::Read),
            key("w", "dlr_w", Scope::Write),
            key("a", "dlr_a", Scope::Admin),
        ]);
        let keys = ApiKeys::new(&keys, None);
        let may_read = |headers| keys.authorise(&headers, Scope::Read).is_ok();
        assert!(
            may_read(authorization("bearer dlr_r"))
                && may_read(basic("", "dlr_r"))
                && may_read(basic("dlr_r", ""))
        );
        assert!(may_read(authorization("Bearer dlr_a")));
        assert!(!may_read(authorization("Bearer dlr_w")) && !may_read(authorization("Bearer dlr_")));
        assert!(!may_read(HeaderMap::new()) && !may_read(authorization("Basic %%%")));
    }
}
