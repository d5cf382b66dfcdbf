//! The receiver that is tried: where its callbacks go, and where questions about messages go.
//!
//! May import `domain` and `exotel`.

use base64::{Engine, prelude::BASE64_STANDARD};
use hyper::Uri;
use percent_encoding::percent_decode_str;
use url::{Url, form_urlencoded};

use crate::{
    domain::{AccountName, Field, Labels},
    exotel::RESERVED_QUERY_KEYS,
};

/// What stands before the account in a callback URL.
const CALLBACKS: &str = "/callbacks/exotel/";

/// A receiver's URLs.
#[derive(Clone, Debug)]
pub struct Target {
    /// Without query string and without user and password.
    callbacks: Url,
    /// What the callback URL has behind its `?`: labels, and maybe a token.
    pub(super) query: String,
    /// The `Authorization` header that user and password of the callback URL make.
    pub(super) authorization: Option<String>,
    /// The account that the callback URL names.
    pub(super) account: AccountName,
    /// What stands before `/messages/…`, without a slash at its end.
    questions: String,
}

/// Why a URL cannot be one of a receiver's.
#[derive(Debug, thiserror::Error)]
pub enum BadTarget {
    /// Neither http nor https.
    #[error("--{0} must begin with http:// or https://")]
    Scheme(&'static str),
    /// The path has no account behind `/callbacks/exotel/`.
    #[error("--url: {CALLBACKS} must be followed by the name of an account")]
    Account,
    /// A base URL with a query string would lose it.
    #[error("--url: a query string belongs behind a whole callback URL, {CALLBACKS}ACCOUNT")]
    StrayQuery,
    /// More than an address.
    #[error("--questions-url: without query string, user and password; a key goes by --api-key")]
    Questions,
    /// A GET could not tell the label from the field.
    #[error("--url: the label `{0}` has the name of a field of Exotel's callbacks")]
    LabelIsField(String),
    /// More labels than a receiver keeps.
    #[error("--url: at most {} labels are kept", Labels::MAX)]
    TooManyLabels,
}

impl Target {
    /// Reads the callback URL, or a base URL, whose account is `default`; `questions` is where messages
    /// are asked for, if elsewhere.
    ///
    /// # Errors
    /// [`BadTarget`] says what is wrong with which.
    pub fn new(url: &Url, questions: Option<&Url>) -> Result<Self, BadTarget> {
        check_scheme("url", url)?;
        let mut callbacks = url.clone();
        callbacks.set_fragment(None);
        if !url.path().contains(CALLBACKS) {
            if url.query().is_some() {
                return Err(BadTarget::StrayQuery);
            }
            callbacks.set_path(&format!("{}{CALLBACKS}default", url.path().trim_end_matches('/')));
        }
        let path = callbacks.path().to_owned();
        let (prefix, rest) = path.split_once(CALLBACKS).ok_or(BadTarget::Account)?;
        let account = rest.split('/').next().unwrap_or_default().to_ascii_lowercase();
        let account = AccountName::new(&account).map_err(|_| BadTarget::Account)?;
        let query = url.query().unwrap_or_default().to_owned();
        check_labels(&query)?;
        callbacks.set_query(None);
        let authorization = take_authorization(&mut callbacks);
        let questions = match questions {
            Some(questions) => address(questions)?,
            None => format!("{}{prefix}", callbacks.origin().ascii_serialization()),
        };
        Ok(Self { callbacks, query, authorization, account, questions })
    }

    /// The account that the callback URL names.
    #[must_use]
    pub fn account(&self) -> &AccountName {
        &self.account
    }

    /// Where callbacks go, as far as it is no secret.
    #[must_use]
    pub fn callbacks_origin(&self) -> String {
        self.callbacks.origin().ascii_serialization()
    }

    /// Where questions go.
    pub(super) fn questions(&self) -> &str {
        &self.questions
    }

    /// Whether either of the two wants TLS.
    pub(super) fn wants_tls(&self) -> bool {
        self.callbacks.scheme() == "https" || self.questions.starts_with("https:")
    }

    /// Where a callback with this query string goes.
    pub(super) fn callback(&self, query: &str) -> Uri {
        let question_mark = if query.is_empty() { "" } else { "?" };
        uri(&format!("{}{question_mark}{query}", self.callbacks))
    }

    /// Where a message is asked for.
    pub(super) fn message(&self, sid: &str) -> Uri {
        uri(&format!("{}/messages/{sid}?account={}", self.questions, self.account))
    }
}

fn uri(text: &str) -> Uri {
    text.parse().expect("what `url` accepts is a URI")
}

fn check_scheme(option: &'static str, url: &Url) -> Result<(), BadTarget> {
    if ["http", "https"].contains(&url.scheme()) { Ok(()) } else { Err(BadTarget::Scheme(option)) }
}

/// Where questions go, without a slash at its end.
fn address(questions: &Url) -> Result<String, BadTarget> {
    check_scheme("questions-url", questions)?;
    let plain = questions.username().is_empty() && questions.password().is_none();
    if plain && questions.query().is_none() && questions.fragment().is_none() {
        return Ok(questions.as_str().trim_end_matches('/').to_owned());
    }
    Err(BadTarget::Questions)
}

fn check_labels(query: &str) -> Result<(), BadTarget> {
    let keys = form_urlencoded::parse(query.as_bytes()).map(|(key, _)| key);
    let labels: Vec<_> = keys.filter(|key| !RESERVED_QUERY_KEYS.contains(&&**key)).collect();
    match labels.iter().find(|label| Field::from_key(label).is_some()) {
        Some(field) => Err(BadTarget::LabelIsField(field.clone().into_owned())),
        None if labels.len() > Labels::MAX => Err(BadTarget::TooManyLabels),
        None => Ok(()),
    }
}

/// Exotel makes a header of them, as every HTTP client does.
fn take_authorization(url: &mut Url) -> Option<String> {
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let credentials = format!("{}:{}", decoded(url.username()), decoded(url.password()?));
    url.set_username("").and_then(|()| url.set_password(None)).expect("http URLs may have a user");
    Some(format!("Basic {}", BASE64_STANDARD.encode(credentials)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(url: &str) -> Result<Target, BadTarget> {
        Target::new(&url.parse().unwrap(), None)
    }

    #[test]
    fn a_callback_url_is_taken_whole() {
        let whole =
            target("https://dlr.example.com/in/callbacks/exotel/Acme/s3cret?campaign_id=diwali&token=x");
        let whole = whole.unwrap();
        assert_eq!(whole.account().as_str(), "acme");
        assert_eq!(whole.query, "campaign_id=diwali&token=x");
        let callback = whole.callback("a=b").to_string();
        assert_eq!(callback, "https://dlr.example.com/in/callbacks/exotel/Acme/s3cret?a=b");
        assert_eq!(whole.message("s1").to_string(), "https://dlr.example.com/in/messages/s1?account=acme");
        assert!(whole.wants_tls() && !whole.callbacks_origin().contains("s3cret"));
    }

    #[test]
    fn a_base_url_stands_for_the_default_account() {
        let base = target("http://127.0.0.1:8080").unwrap();
        assert_eq!(base.callback("").to_string(), "http://127.0.0.1:8080/callbacks/exotel/default");
        let elsewhere = Some("http://127.0.0.1:9090/".parse().unwrap());
        let split = Target::new(&"http://u:p%40ss@h/x/".parse().unwrap(), elsewhere.as_ref()).unwrap();
        assert_eq!(split.callback("").to_string(), "http://h/x/callbacks/exotel/default");
        assert_eq!(split.authorization.as_deref(), Some("Basic dTpwQHNz"));
        assert_eq!(split.message("s1").to_string(), "http://127.0.0.1:9090/messages/s1?account=default");
    }

    #[test]
    fn what_is_no_receivers_url_is_refused() {
        for (url, fault) in [
            ("ftp://h/", "must begin with http"),
            ("http://h/?a=b", "belongs behind a whole callback URL"),
            ("http://h/callbacks/exotel/", "the name of an account"),
            ("http://h/callbacks/exotel/a?sms_sid=x", "the label `sms_sid` has the name of a field"),
        ] {
            let refusal = target(url).unwrap_err().to_string();
            assert!(refusal.contains(fault), "{refusal}");
        }
        let with_key = "http://u:key@h/".parse().unwrap();
        assert!(matches!(
            Target::new(&"http://h/".parse().unwrap(), Some(&with_key)),
            Err(BadTarget::Questions)
        ));
    }
}
