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
    /// A value of the wrong type.
    #[error("{0}")]
    Value(String),
    /// A file that is not valid TOML. The line itself is not shown: it may hold a secret.
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
        /// The error of the system call.
        source: std::io::Error,
    },
    /// Two variables set the same key.
    #[error("{0} and {0}_FILE are both set; keep one")]
    SetTwice(String),
    /// A profile that is neither built in nor a file.
    #[error("there is no profile `{0}`: it is neither `production` nor a file config/{0}.toml")]
    NoSuchProfile(String),
    /// Unknown keys, one line each.
    #[error("{}", .0.join("\n"))]
    UnknownKeys(Vec<String>),
    /// An account cannot be used.
    #[error(transparent)]
    Account(#[from] BadAccount),
    /// A trusted proxy is not a network.
    #[error("http.trusted_proxies: {0}")]
    TrustedProxies(BadNetwork),
    /// An entry of `[[status_codes]]` cannot be used.
    #[error(transparent)]
    StatusCode(#[from] BadStatusCode),
    /// A value of `[database]` is not allowed.
    #[error(transparent)]
    Database(#[from] BadDatabase),
    /// A value of `[ingest]` is not allowed.
    #[error(transparent)]
    Ingest(#[from] BadIngest),
    /// A value of `[retention]` is not allowed.
    #[error(transparent)]
    Retention(#[from] BadRetention),
    /// A value of `[log]` or `[tracing]` is not allowed.
    #[error(transparent)]
    Log(#[from] TelemetryError),
    /// A value of `[http]` is not allowed.
    #[error(transparent)]
    Http(#[from] BadHttp),
    /// The public URL is not usable.
    #[error("http.public_url must be a URL that begins with http:// or https://, without `?` and `#`")]
    PublicUrl,
    /// A shutdown timeout that is longer than any container runtime waits.
    #[error("http.shutdown_timeout_ms must be 600000 at most, which is ten minutes")]
    ShutdownTimeout,
    /// The service would listen beyond loopback without authentication.
    #[error("{0}")]
    Insecure(String),
}

impl From<config::ConfigError> for ConfigError {
    /// Shows a value of the wrong type, but redacts what looks like a URL: `DLR__DATABASE` is easily typed in place of
    /// `DLR__DATABASE__URL`, and its value holds a password.
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
