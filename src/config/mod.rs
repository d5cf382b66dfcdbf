//! The configuration: the layers' own parts, put together, and checked as a whole.

mod environment;
mod load;
mod unknown;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use url::Url;

pub use load::{Sources, load};

use crate::{
    domain::{
        AccountConfig, BadAccount, BadNetwork, BadStatusCode, Callers, ConfiguredAccount, StatusCodeConfig,
        StatusTable,
    },
    http::{AuthConfig, BadHttp, Exposure, HttpConfig, LimitsConfig},
    ingest::{BadIngest, IngestConfig, RejectedConfig, SpoolConfig},
    retention::{BadRetention, RetentionConfig},
    storage::{BadDatabase, DatabaseConfig},
    telemetry::{LogConfig, TelemetryError, TracingConfig},
};

/// All of it. `config/default.toml` documents every key.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Config {
    /// Where the service listens.
    pub http: HttpConfig,
    /// Where receipts and messages are kept.
    pub database: DatabaseConfig,
    /// How callbacks are gathered and committed.
    pub ingest: IngestConfig,
    /// Where callbacks are kept while the database cannot take them.
    pub spool: SpoolConfig,
    /// Who may ask.
    pub auth: AuthConfig,
    /// How often one caller may ask, and be refused.
    pub limits: LimitsConfig,
    /// How much of the log of refused bodies is kept.
    pub rejected: RejectedConfig,
    /// How long messages and receipts are kept.
    pub retention: RetentionConfig,
    /// What is logged.
    pub log: LogConfig,
    /// Where traces go.
    pub tracing: TracingConfig,
    /// The accounts whose callbacks are taken, by name.
    #[serde(default)]
    pub accounts: BTreeMap<String, AccountConfig>,
    /// What is laid over Exotel's table of status codes.
    #[serde(default)]
    pub status_codes: Vec<StatusCodeConfig>,
}

/// Why a configuration cannot be used. The texts say what to set.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A value that cannot be read.
    #[error(transparent)]
    Value(#[from] config::ConfigError),
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

impl Config {
    /// The accounts, and what opens their callback URLs and their messages.
    ///
    /// # Errors
    /// [`ConfigError::Account`] where one is incomplete, or two cannot be told apart.
    pub fn accounts(&self) -> Result<Vec<ConfiguredAccount>, ConfigError> {
        let checked = self.accounts.iter().map(|(name, config)| config.checked(name));
        let accounts: Vec<_> = checked.collect::<Result<_, _>>()?;
        ConfiguredAccount::check_sids(&accounts)?;
        Ok(accounts)
    }

    /// The status codes in force.
    ///
    /// # Errors
    /// [`ConfigError::StatusCode`] where an entry is incomplete or contradicts another.
    pub fn status_table(&self) -> Result<StatusTable, ConfigError> {
        Ok(StatusTable::with(&self.status_codes)?)
    }

    /// Checks what no single value shows.
    ///
    /// # Errors
    /// [`ConfigError`] says what to set.
    pub fn check(&self) -> Result<(), ConfigError> {
        self.accounts()?;
        self.http.trusted_proxies().map_err(ConfigError::TrustedProxies)?;
        self.status_table()?;
        self.database.check()?;
        self.ingest.check()?;
        self.http.check()?;
        self.retention.check()?;
        self.log.filter()?;
        self.tracing.check()?;
        let public = Url::parse(&self.public_url()).map_err(|_| ConfigError::PublicUrl)?;
        let plain = public.query().is_none() && public.fragment().is_none();
        if !plain || !["http", "https"].contains(&public.scheme()) {
            return Err(ConfigError::PublicUrl);
        }
        if self.http.shutdown_timeout_ms > 600_000 {
            return Err(ConfigError::ShutdownTimeout);
        }
        Ok(())
    }

    /// Refuses to be open to everybody by oversight.
    ///
    /// # Errors
    /// [`ConfigError::Insecure`] says what to set, or which key accepts the risk.
    pub fn check_exposure(&self) -> Result<(), ConfigError> {
        let Exposure { callbacks, questions } = self.http.exposure();
        let open = |(name, account): (&String, &AccountConfig)| {
            Callers::checked(account).is_ok_and(|callers| callers.are_anybody()).then(|| {
                format!(
                    "set accounts.{name}.callback_tokens (DLR__ACCOUNTS__{}__CALLBACK_TOKENS)",
                    name.to_uppercase()
                )
            })
        };
        let mut faults: Vec<String> = self.accounts.iter().filter(|_| callbacks).filter_map(open).collect();
        if questions && self.auth.keys.0.is_empty() {
            faults.push("set auth.keys (`dlr-receiver key new NAME` makes one)".to_owned());
        }
        if faults.is_empty() || self.auth.allow_insecure {
            return Ok(());
        }
        let addresses: Vec<_> =
            [Some(self.http.bind), self.http.internal_bind].into_iter().flatten().collect();
        Err(ConfigError::Insecure(format!(
            "listening beyond loopback ({addresses:?}) would let anybody in:\n  {}\n\
             or accept the risk with auth.allow_insecure = true (DLR__AUTH__ALLOW_INSECURE=true)",
            faults.join("\n  ")
        )))
    }

    /// The URL under which Exotel reaches the service, without a slash at its end.
    #[must_use]
    pub fn public_url(&self) -> String {
        match self.http.public_url.trim_end_matches('/') {
            "" => format!("http://{}", self.http.bind),
            url => url.to_owned(),
        }
    }
}
