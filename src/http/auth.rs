//! Who may call, and who may ask: callback tokens and API keys, compared in constant time.

use std::borrow::Cow;

use axum::{
    extract::{Request, State},
    http::{HeaderMap, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use percent_encoding::percent_decode_str;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::{
    AppState, Problem, ProblemKind,
    api_key::{ApiKeyList, KeyDigest, Scope},
};
use crate::domain::Secret;

/// Digests to compare with: comparing them shows neither content nor length of a secret.
#[derive(Debug)]
struct Digests(Vec<KeyDigest>);

impl Digests {
    /// The place of the digest that `secret` matches. Takes as long whether any does.
    fn find(&self, secret: &[u8]) -> Option<usize> {
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

/// The tokens that open an account's callback URL.
#[derive(Debug)]
pub(super) struct CallbackTokens(Digests);

impl CallbackTokens {
    pub fn new(tokens: &[Secret]) -> Self {
        Self(Digests(tokens.iter().map(|token| KeyDigest::of(token.reveal())).collect()))
    }

    /// Whether a request with these credentials may pass: any of the places may hold any of the
    /// tokens. Where no token is configured everybody may.
    pub fn admit(&self, path: Option<&str>, query: &str, headers: &HeaderMap) -> bool {
        if self.0.0.is_empty() {
            return true;
        }
        let mut admitted = path.is_some_and(|token| self.0.find(token.as_bytes()).is_some());
        for token in query.split('&').filter_map(|pair| pair.strip_prefix("token=")) {
            admitted |= self.0.find(&Cow::from(percent_decode_str(token))).is_some();
        }
        if let Some((_, password)) = basic_credentials(headers) {
            admitted |= self.0.find(&password).is_some();
        }
        admitted
    }
}

/// What reads an account in Exotel's way: a key and its token, as Basic credentials.
#[derive(Debug)]
pub(super) struct ReadCredentials {
    key: Digests,
    token: Digests,
}

impl ReadCredentials {
    pub fn new(key: &Secret, token: &Secret) -> Self {
        let digest = |secret: &Secret| Digests(vec![KeyDigest::of(secret.reveal())]);
        Self { key: digest(key), token: digest(token) }
    }

    /// Whether both are right. The token is compared even where the key is wrong.
    pub fn admit(&self, key: &[u8], token: &[u8]) -> bool {
        self.key.find(key).is_some() & self.token.find(token).is_some()
    }
}

/// The API keys in force: digests, and the scopes of each in the same place.
#[derive(Debug)]
pub(super) struct ApiKeys {
    digests: Digests,
    scopes: Vec<Vec<Scope>>,
}

impl ApiKeys {
    pub fn new(keys: &ApiKeyList) -> Self {
        let (digests, scopes) = keys.0.iter().map(|key| (key.sha256, key.scopes.clone())).unzip();
        Self { digests: Digests(digests), scopes }
    }

    /// Whether the bearer of these credentials may do what `scope` names. `admin` may do everything.
    fn admit(&self, headers: &HeaderMap, scope: Scope) -> Result<(), Problem> {
        if self.scopes.is_empty() {
            return Ok(());
        }
        let key = presented_key(headers).ok_or_else(|| {
            Problem::unauthorized("send an API key, as a Bearer token or as the Basic password")
        })?;
        let found = self.digests.find(&key);
        let granted = found.ok_or_else(|| Problem::unauthorized("the API key is not known"))?;
        let granted = &self.scopes[granted];
        if granted.contains(&scope) || granted.contains(&Scope::Admin) {
            return Ok(());
        }
        let word: &str = scope.into();
        Err(Problem::new(ProblemKind::MissingScope, format!("the API key lacks the scope `{word}`"))
            .with("scope", word))
    }
}

/// Lets only keys with the scope `read` pass.
pub(super) async fn require_read(State(state): State<AppState>, request: Request, next: Next) -> Response {
    match state.api_keys.admit(request.headers(), Scope::Read) {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

/// A Bearer token; or the Basic password, or the Basic user where the password is empty.
fn presented_key(headers: &HeaderMap) -> Option<Vec<u8>> {
    credentials(headers, "bearer").map(|token| token.as_bytes().to_vec()).or_else(|| {
        let (user, password) = basic_credentials(headers)?;
        Some(if password.is_empty() { user } else { password })
    })
}

/// User and password of Basic credentials.
pub(super) fn basic_credentials(headers: &HeaderMap) -> Option<(Vec<u8>, Vec<u8>)> {
    let mut user = BASE64_STANDARD.decode(credentials(headers, "basic")?).ok()?;
    let colon = user.iter().position(|&byte| byte == b':')?;
    let password = user.split_off(colon + 1);
    user.truncate(colon);
    Some((user, password))
}

fn credentials<'h>(headers: &'h HeaderMap, scheme: &str) -> Option<&'h str> {
    let (given, credentials) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    given.eq_ignore_ascii_case(scheme).then(|| credentials.trim())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::ApiKeyConfig;

    fn authorization(value: &str) -> HeaderMap {
        HeaderMap::from_iter([(header::AUTHORIZATION, value.parse().unwrap())])
    }

    fn basic(user: &str, password: &str) -> HeaderMap {
        authorization(&format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:{password}"))))
    }

    #[test]
    fn any_valid_token_in_any_place_opens_the_url() {
        let tokens = CallbackTokens::new(&["new".into(), "old".into()]);
        let none = HeaderMap::new();
        assert!(tokens.admit(Some("new"), "", &none) && tokens.admit(Some("old"), "", &none));
        assert!(tokens.admit(None, "a=b&token=ne%77", &none));
        assert!(tokens.admit(None, "", &basic("anyone", "old")));
        assert!(!tokens.admit(None, "", &none) && !tokens.admit(Some("ne"), "token=", &basic("new", "")));
        assert!(CallbackTokens::new(&[]).admit(None, "", &none), "none is asked for");
    }

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
        let keys = ApiKeys::new(&keys);
        let may_read = |headers| keys.admit(&headers, Scope::Read).is_ok();
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
