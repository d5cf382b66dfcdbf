//! Tokens that authenticate callbacks of an account.

use std::borrow::Cow;

use axum::http::HeaderMap;
use percent_encoding::percent_decode_str;

use super::credentials::{Digests, basic_credentials};
use crate::{access::Secret, exotel::query, http::KeyDigest};

/// The tokens of an account's callback URL, as digests.
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

    /// Whether a request shows one of the tokens: in its path, its query string or its Basic password.
    pub fn open_for(&self, path: Option<&str>, query: &str, headers: &HeaderMap) -> bool {
        if self.is_empty() {
            return false;
        }
        let mut shown = path.is_some_and(|token| self.0.find(token.as_bytes()).is_some());
        for token in query::raw_values(query, "token") {
            shown |= self.0.find(query::decoded(token).as_bytes()).is_some();
            // A `+` is a space in a query string. But a sender whose token has a `+` may have left it unencoded, so it
            // is compared as a `+` as well. That opens nothing: the token is still the right one.
            if token.contains('+') {
                shown |= self.0.find(&Cow::from(percent_decode_str(token))).is_some();
            }
        }
        if let Some((_, password)) = basic_credentials(headers) {
            shown |= self.0.find(&password).is_some();
        }
        shown
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
        assert!(tokens.open_for(Some("new"), "", &none) && tokens.open_for(Some("old"), "", &none));
        assert!(tokens.open_for(None, "a=b&token=ne%77", &none));
        assert!(tokens.open_for(None, "", &basic("anyone", "old")));
        assert!(
            !tokens.open_for(None, "", &none) && !tokens.open_for(Some("ne"), "token=", &basic("new", ""))
        );
        let spaced = CallbackTokens::new(&["a b".into(), "c+d".into()]);
        for good in ["a b", "a+b", "a%20b", "c+d", "c%2Bd"] {
            assert!(spaced.open_for(None, &format!("x=y&token={good}&z"), &none), "{good}");
        }
        for bad in ["a%2Bb", "c d", "c%20d", "ab", "a++b", ""] {
            assert!(!spaced.open_for(None, &format!("token={bad}"), &none), "{bad}");
        }
        assert!(
            tokens.open_for(None, "%EF%BB%BFtoken=new", &none),
            "as every reader of a query string reads it"
        );
        assert!(!tokens.open_for(None, "%74oken=new", &none), "a key has one spelling");
        let unasked = CallbackTokens::new(&[]);
        assert!(unasked.is_empty() && !unasked.open_for(Some(""), "token=", &none));
    }
}
