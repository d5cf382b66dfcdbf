//! The configuration: composed of the layers' own configurations, and checked as a whole.

mod environment;
mod error;
mod load;
mod unknown;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use url::Url;

pub use error::ConfigError;
pub use load::{Sources, load};

use crate::{
    access::{AccountConfig, Callers, ConfiguredAccount},
    domain::{StatusCodeConfig, StatusTable},
    http::{AuthConfig, Exposure, HttpConfig, LimitsConfig},
    ingest::{IngestConfig, RejectedConfig, SpoolConfig},
    retention::RetentionConfig,
    storage::DatabaseConfig,
    telemetry::{LogConfig, TracingConfig},
};

/// The whole configuration. `config/default.toml` documents every key.
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
    /// API keys.
    pub auth: AuthConfig,
    /// Rate limits.
    pub limits: LimitsConfig,
    /// How much of the log of refused bodies is kept.
    pub rejected: RejectedConfig,
    /// How long messages and receipts are kept.
    pub retention: RetentionConfig,
    /// What is logged.
    pub log: LogConfig,
    /// Where traces are exported to.
    pub tracing: TracingConfig,
    /// The accounts whose callbacks are accepted, by name.
    #[serde(default)]
    pub accounts: BTreeMap<String, AccountConfig>,
    /// Entries that replace or extend those of Exotel's table of status codes.
    #[serde(default)]
    pub status_codes: Vec<StatusCodeConfig>,
}

impl Config {
    /// The accounts, with the credentials for their callback URLs and their messages.
    ///
    /// # Errors
    /// [`ConfigError::Account`] when one cannot be used, or two have the same sid.
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

    /// Checks each layer's values, and those that belong to none.
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

    /// Checks that a service that listens beyond loopback requires authentication, or that `auth.allow_insecure` is
    /// set.
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

    /// The URL under which Exotel reaches the service, without a slash at its end, as Exotel needs it: it may hold
    /// a user and a password for a proxy in front.
    #[must_use]
    pub fn public_url(&self) -> String {
        self.or_bind(&self.http.public_url)
    }

    /// [`Self::public_url`] with credentials redacted, for texts that may reach a log.
    #[must_use]
    pub fn shown_public_url(&self) -> String {
        self.or_bind(&self.http.public_url.shown())
    }

    fn or_bind(&self, url: &str) -> String {
        match url.trim_end_matches('/') {
            "" => format!("http://{}", self.http.bind),
            url => url.to_owned(),
        }
    }
}
