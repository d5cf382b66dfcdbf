//! Why a configuration cannot be used.

use crate::{
    access::{BadAccount, BadNetwork},
    domain::BadStatusCode,
    http::BadHttp,
    ingest::BadIngest,
    retention::BadRetention,
    secret_url::SecretUrl,
    storage::BadDatabase,
    telemetry::TelemetryError,
};

/// Why a configuration cannot be used. The texts say what to set.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A value that cannot be read.
    #[error("{0}")]
    Value(String),
    /// A file that is no TOML. What stands there is not repeated, it may be a secret.
    #[error("{file}: no TOML at line {line}, column {column}: {fault}")]
    Syntax {
        /// The file.
        file: String,
        /// Where, counted from 1.
        line: usize,
        /// Where in the line, counted from 1.
        column: usize,
        /// What is wrong.
        fault: String,
    },
    /// A file that cannot be read.
    #[error("{named_by}: cannot read {path}: {source}")]
    File {
        /// The option or environment variable that names it.
        named_by: String,
        /// Its path.
        path: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// Two variables set the same key.
    #[error("{0} and {0}_FILE are both set; keep one")]
    SetTwice(String),
    /// A profile that is neither built in nor a file.
    #[error("there is no profile `{0}`: it is neither `production` nor a file config/{0}.toml")]
    NoSuchProfile(String),
    /// Keys that mean nothing.
    #[error("{}", .0.join("\n"))]
    UnknownKeys(Vec<String>),
    /// An account.
    #[error(transparent)]
    Account(#[from] BadAccount),
    /// The proxies before the service.
    #[error("http.trusted_proxies: {0}")]
    TrustedProxies(BadNetwork),
    /// An entry of the table of status codes.
    #[error(transparent)]
    StatusCode(#[from] BadStatusCode),
    /// The database's URL.
    #[error(transparent)]
    Database(#[from] BadDatabase),
    /// How callbacks are gathered and committed.
    #[error(transparent)]
    Ingest(#[from] BadIngest),
    /// How long messages and receipts are kept.
    #[error(transparent)]
    Retention(#[from] BadRetention),
    /// The filter of the log, or where traces go.
    #[error(transparent)]
    Log(#[from] TelemetryError),
    /// What clients may take of the service.
    #[error(transparent)]
    Http(#[from] BadHttp),
    /// Where Exotel reaches the service.
    #[error("http.public_url must be a URL that begins with http:// or https://, without `?` and `#`")]
    PublicUrl,
    /// Longer than any container runtime waits.
    #[error("http.shutdown_timeout_ms must be 600000 at most, which is ten minutes")]
    ShutdownTimeout,
    /// Open to everybody.
    #[error("{0}")]
    Insecure(String),
}

impl From<config::ConfigError> for ConfigError {
    /// A value of the wrong type is repeated, unless it looks like a URL: `DLR__DATABASE` in place of
    /// `DLR__DATABASE__URL` is easily typed, and holds a password.
    fn from(error: config::ConfigError) -> Self {
        let text = error.to_string();
        let value = text.split_once("string \"").and_then(|(_, rest)| rest.rsplit_once("\", expected"));
        match value {
            Some((value, _)) if value.contains(['@', ':']) => {
                Self::Value(text.replace(value, &SecretUrl::from(value).shown()))
            }
            _ => Self::Value(text),
        }
    }
}
