//! The tokens that open an account's callback URL.

use std::borrow::Cow;

use axum::http::HeaderMap;
use percent_encoding::percent_decode_str;

use super::credentials::{Digests, basic_credentials};
use crate::{access::Secret, exotel::query, http::KeyDigest};

/// The tokens that open an account's callback URL.
#[derive(Debug)]
pub(super) struct CallbackTokens(Digests);

impl CallbackTokens {
    pub fn new(tokens: &[Secret]) -> Self {
        Self(Digests(tokens.iter().map(|token| KeyDigest::of(token.reveal())).collect()))
    }

    /// Whether no token is configured.
    pub fn is_empty(&self) -> bool {
        self.0.0.is_empty()
    }

    /// Whether a request with these credentials may pass: any of the places may hold any of the
    /// tokens.
    pub fn admit(&self, path: Option<&str>, query: &str, headers: &HeaderMap) -> bool {
        if self.is_empty() {
            return false;
        }
        let mut admitted = path.is_some_and(|token| self.0.find(token.as_bytes()).is_some());
        for token in query::raw_values(query, "token") {
            admitted |= self.0.find(query::decoded(token).as_bytes()).is_some();
            // A `+` is a space in a query string. Whoever has a token with a `+` in it may have left it unencoded: it
            // is known all the same, so nothing is opened by reading it so.
            if token.contains('+') {
                admitted |= self.0.find(&Cow::from(percent_decode_str(token))).is_some();
            }
        }
        if let Some((_, password)) = basic_credentials(headers) {
            admitted |= self.0.find(&password).is_some();
        }
        admitted
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::auth::credentials::presented::basic;

    #[test]
    fn any_valid_token_in_any_place_opens_the_url() {
        let tokens = CallbackTokens::new(&["new".into(), "old".into()]);
        let none = HeaderMap::new();
        assert!(tokens.admit(Some("new"), "", &none) && tokens.admit(Some("old"), "", &none));
        assert!(tokens.admit(None, "a=b&token=ne%77", &none));
        assert!(tokens.admit(None, "", &basic("anyone", "old")));
        assert!(!tokens.admit(None, "", &none) && !tokens.admit(Some("ne"), "token=", &basic("new", "")));
        let spaced = CallbackTokens::new(&["a b".into(), "c+d".into()]);
        for good in ["a b", "a+b", "a%20b", "c+d", "c%2Bd"] {
            assert!(spaced.admit(None, &format!("x=y&token={good}&z"), &none), "{good}");
        }
        for bad in ["a%2Bb", "c d", "c%20d", "ab", "a++b", ""] {
            assert!(!spaced.admit(None, &format!("token={bad}"), &none), "{bad}");
        }
        assert!(
            tokens.admit(None, "%EF%BB%BFtoken=new", &none),
            "as every reader of a query string reads it"
        );
        assert!(!tokens.admit(None, "%74oken=new", &none), "a key has one spelling");
        let unasked = CallbackTokens::new(&[]);
        assert!(unasked.is_empty() && !unasked.admit(Some(""), "token=", &none));
    }
}
