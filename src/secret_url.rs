//! URLs of the configuration, redacted where they are shown. A leaf: it imports nothing of this crate.

use std::{fmt, ops::Deref};

use serde::{Deserialize, Serialize, Serializer};
use url::Url;

/// A URL that may hold credentials. It dereferences to the configured text; `Debug` and `Serialize` give
/// [`SecretUrl::shown`].
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
pub struct SecretUrl(String);

const REDACTED: &str = "redacted";
const NOTHING: &str = "[redacted]";

/// The query parameters whose values are shown. Each driver has its own names for secrets (`password`, `sslpassword`,
/// `sslkey` with a whole key in it), so this lists what is safe rather than what is secret.
const HARMLESS: [&str; 19] = [
    "application_name",
    "cache",
    "dbname",
    "host",
    "hostaddr",
    "immutable",
    "mode",
    "port",
    "ssl-ca",
    "ssl-cert",
    "ssl-mode",
    "ssl-root-cert",
    "sslcert",
    "sslmode",
    "sslrootcert",
    "statement-cache-capacity",
    "target_session_attrs",
    "user",
    "vfs",
];

impl SecretUrl {
    /// The URL with passwords, tokens and all other possible secrets redacted; `[redacted]` when its parts cannot be
    /// told apart.
    #[must_use]
    pub fn shown(&self) -> String {
        if self.0.is_empty() {
            return String::new();
        }
        let Ok(url) = Url::parse(&self.0) else { return NOTHING.to_owned() };
        let normal = url.to_string();
        match redacted(url) {
            // Nothing was redacted: show the configured text, since parsing may have added a slash.
            Some(shown) if shown == normal => self.0.clone(),
            Some(shown) => shown,
            None => NOTHING.to_owned(),
        }
    }

    /// Whether [`Self::shown`] redacts anything.
    #[must_use]
    pub fn holds_secret(&self) -> bool {
        self.shown() != self.0
    }
}

impl Deref for SecretUrl {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl PartialEq<&str> for SecretUrl {
    fn eq(&self, other: &&str) -> bool {
        self.0 == *other
    }
}

impl From<String> for SecretUrl {
    fn from(url: String) -> Self {
        Self(url)
    }
}

impl From<&str> for SecretUrl {
    fn from(url: &str) -> Self {
        Self(url.to_owned())
    }
}

impl fmt::Debug for SecretUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown())
    }
}

impl Serialize for SecretUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.shown())
    }
}

/// The redacted URL; none when a secret may be in a part that is not meant for one.
fn redacted(mut url: Url) -> Option<String> {
    let is_file = url.scheme() == "sqlite";
    // A password with an unescaped `/`, `?` or `#` continues in what parses as the path, followed by an `@`.
    let rest = [Some(url.path()), url.query(), url.fragment()];
    let holds_at = |text: &str| text.contains('@') || text.to_ascii_lowercase().contains("%40");
    if !is_file && (url.cannot_be_a_base() || rest.into_iter().flatten().any(holds_at)) {
        return None;
    }
    if url.password().is_some() {
        url.set_password(Some(REDACTED)).ok()?;
    }
    // A database user's name is no secret. In an HTTP URL the user may be a token.
    if !url.username().is_empty() && url.scheme().starts_with("http") {
        url.set_username(REDACTED).ok()?;
    }
    if url.fragment().is_some() {
        url.set_fragment(Some(REDACTED));
    }
    let pairs: Vec<_> =
        url.query_pairs().map(|(key, value)| (key.into_owned(), value.into_owned())).collect();
    if !pairs.iter().all(|(key, _)| HARMLESS.contains(&key.as_str())) {
        url.query_pairs_mut()
            .clear()
            .extend_pairs(pairs.into_iter().map(|(key, value)| shown_pair(key, value)));
    }
    Some(url.into())
}

fn shown_pair(key: String, value: String) -> (String, String) {
    match value.as_str() {
        _ if HARMLESS.contains(&key.as_str()) => (key, value),
        // Without a value, the key itself may be the secret.
        "" => (REDACTED.to_owned(), value),
        _ => (key, REDACTED.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(url: &str) -> String {
        SecretUrl::from(url).shown()
    }

    #[test]
    fn what_is_harmless_is_shown_as_it_is() {
        for url in [
            "",
            "sqlite://data/dlr.db",
            "sqlite:data/dlr.db?mode=rwc&cache=shared",
            "sqlite:///var/lib/a@b/dlr.db",
            "postgres://db/dlr",
            "postgres://dlr@db:5433/dlr?sslmode=require&sslrootcert=/etc/ca.pem&application_name=x",
            "postgres:///dlr?host=/run/postgresql",
            "https://dlr.example.com",
            "https://dlr.example.com/behind/a/path",
        ] {
            assert_eq!(shown(url), url);
            assert!(!SecretUrl::from(url).holds_secret(), "{url}");
        }
    }

    #[test]
    fn no_secret_is_shown_wherever_it_stands() {
        for url in [
            "postgres://dlr:s3cr3t@db/dlr",
            "postgres://:s3cr3t@db/dlr",
            "postgresql://dlr:s3cr3t:s3cr3t@db/dlr",
            "postgres://dlr:s%33cr3t-s3cr3t@db/dlr",
            "postgres://dlr:12/s3cr3t@db/dlr",
            "postgres://dlr:12?s3cr3t@db/dlr",
            "postgres://dlr:12#s3cr3t@db/dlr",
            "postgres://dlr:s3cr3t@[db",
            "postgres:dlr:s3cr3t@db/dlr",
            "postgres:/dlr:s3cr3t@db/dlr",
            "postgres:/dlr:s3cr3t%40db/dlr",
            "postgres://db/dlr?password=s3cr3t",
            "postgres://db/dlr?pass%77ord=s3cr3t",
            "postgres://db/dlr?PASSWORD=s3cr3t",
            "postgres://db/dlr?password=x&sslmode=require&password=s3cr3t",
            "postgres://dlr:s3cr3t@db/dlr?password=s3cr3t",
            "postgres://db/dlr?sslpassword=s3cr3t",
            "postgres://db/dlr?sslkey=-----BEGIN%20PRIVATE%20KEY-----s3cr3t",
            "postgres://db/dlr?ssl-key=s3cr3t",
            "postgres://db/dlr?options=-c%20a.b=s3cr3t",
            "postgres://db/dlr?options[a.b]=s3cr3t",
            "postgres://db/dlr?s3cr3t",
            "https://user:s3cr3t@dlr.example.com",
            "https://s3cr3t@dlr.example.com",
            "https://:s3cr3t@dlr.example.com",
            "https://dlr.example.com/?token=s3cr3t",
            "https://dlr.example.com/#s3cr3t",
            "s3cr3t",
            "//user:s3cr3t@host",
        ] {
            let told = [shown(url), format!("{:?}", SecretUrl::from(url)), toml(url)];
            for told in told {
                assert!(!told.contains("s3cr3t") && told.contains("redacted"), "{url} is told as {told}");
            }
            assert!(SecretUrl::from(url).holds_secret(), "{url}");
        }
    }

    fn toml(url: &str) -> String {
        serde_json::to_string(&SecretUrl::from(url)).unwrap()
    }

    #[test]
    fn what_is_no_secret_is_shown_beside_one() {
        assert_eq!(
            shown("postgres://dlr:pa55@db/dlr?sslmode=require&sslpassword=x"),
            "postgres://dlr:redacted@db/dlr?sslmode=require&sslpassword=redacted"
        );
        assert_eq!(shown("https://u:p@dlr.example.com/x"), "https://redacted:redacted@dlr.example.com/x");
    }
}
