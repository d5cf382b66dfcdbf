//! A callback request as it came over the wire, after authentication.

use std::borrow::Cow;

use bytes::Bytes;

use super::{
    form::{is_own, signs},
    query::{key, raw_pairs},
};

/// A callback as it came over the wire. It owns what it holds, so that it can be kept and read again.
#[derive(Clone, PartialEq, Eq)]
pub enum RawRequest {
    /// A POST: the body carries Exotel's fields, the query string the sender's labels.
    Post {
        /// The `Content-Type` header; none means a form, or JSON where it begins with a brace.
        content_type: Option<String>,
        /// The `Content-Encoding` headers, joined by commas; normally there is none.
        content_encoding: Option<String>,
        /// The query string, percent-encoded.
        query: String,
        /// The body.
        body: Bytes,
    },
    /// A GET: the query string carries both.
    Get {
        /// The query string, percent-encoded.
        query: String,
    },
}

impl RawRequest {
    /// The largest body that is taken, in bytes. Exotel's own callbacks have less than 1 KiB.
    pub const MAX_BODY: usize = 64 * 1024;

    /// The query string, percent-encoded, without the token, the signature and the parameters that it covers, however their names
    /// are encoded.
    #[must_use]
    pub fn query_without_secrets(&self) -> Cow<'_, str> {
        let (Self::Post { query, .. } | Self::Get { query }) = self;
        let signed = raw_pairs(query).any(|pair| signs(&key(pair)));
        let secret = |pair: &&str| is_own(&key(pair), signed);
        if raw_pairs(query).any(|pair| secret(&pair)) {
            raw_pairs(query).filter(|pair| !secret(pair)).collect::<Vec<_>>().join("&").into()
        } else {
            query.into()
        }
    }
}

/// Shows the kind of the request only: the rest holds personal data and secrets.
impl std::fmt::Debug for RawRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Post { .. } => "RawRequest::Post",
            Self::Get { .. } => "RawRequest::Get",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kept_query_string_holds_no_secret() {
        let kept = |query: &str| RawRequest::Get { query: query.into() }.query_without_secrets().into_owned();
        assert_eq!(kept("SmsSid=s1&token=t&%74oken=t&sig=x&tokens=y"), "SmsSid=s1&tokens=y");
        assert_eq!(kept("%EF%BB%BFtoken=t&SmsSid=s1"), "SmsSid=s1");
        assert_eq!(kept("a=b&c&to=d"), "a=b&c&to=d");
        assert_eq!(kept("SmsSid=s1&to=t&exp=1&s%69g=x&To=u"), "SmsSid=s1&To=u");
    }
}
