//! `[database]`.

use std::{
    num::{NonZeroU32, NonZeroU64},
    time::Duration,
};

use serde::{Deserialize, Serialize};
use sqlx::sqlite::SqliteConnectOptions;

use crate::secret_url::SecretUrl;
use crate::storage::{BadDatabase, postgres::read_url};

/// `[database]`: where receipts and messages are kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DatabaseConfig {
    /// `sqlite://PATH` or `postgres://USER:PASSWORD@HOST/DATABASE`.
    pub url: SecretUrl,
    /// Whether starting the service migrates the database.
    pub migrate: bool,
    /// The most connections that one process keeps for questions.
    pub max_connections: NonZeroU32,
    /// How long connecting, or one question, may take, in milliseconds.
    pub timeout_ms: NonZeroU64,
    /// What stands between the service and Postgres.
    pub pooler: Pooler,
}

/// What stands between the service and Postgres.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pooler {
    /// Nothing that changes what a session is.
    #[default]
    None,
    /// A pooler that lends a session of the server for one transaction at a time, such as pgbouncer with
    /// `pool_mode = transaction`.
    Transaction,
}

/// The kind of database that a URL names.
pub(super) enum Scheme {
    Postgres,
    Sqlite,
}

impl DatabaseConfig {
    /// The longest timeout that makes sense.
    const LONGEST_TIMEOUT: Duration = Duration::from_mins(10);

    pub(super) fn scheme(&self) -> Result<Scheme, BadDatabase> {
        match self.url.split_once(':').map(|(scheme, _)| scheme) {
            Some("postgres" | "postgresql") => Ok(Scheme::Postgres),
            Some("sqlite") => Ok(Scheme::Sqlite),
            _ => Err(BadDatabase::Scheme),
        }
    }

    /// Whether the URL is understood, and names something that keeps what it is given.
    ///
    /// # Errors
    /// [`BadDatabase`] says what to set.
    pub fn check(&self) -> Result<(), BadDatabase> {
        if self.timeout() > Self::LONGEST_TIMEOUT {
            return Err(BadDatabase::Timeout);
        }
        if self.pooler == Pooler::Transaction && self.migrate {
            return Err(BadDatabase::PooledMigration);
        }
        match self.scheme()? {
            Scheme::Postgres => read_url(&self.url).map(|_| ()).map_err(BadDatabase::Unreadable),
            Scheme::Sqlite => {
                let options: SqliteConnectOptions = self.url.parse().map_err(BadDatabase::Unreadable)?;
                let nameless = options.get_filename().as_os_str().is_empty();
                let in_memory = [":memory:", "mode=memory"].iter().any(|word| self.url.contains(word));
                if nameless || in_memory { Err(BadDatabase::InMemory) } else { Ok(()) }
            }
        }
    }

    /// The file of a SQLite store; none where the URL is not understood, or names a Postgres.
    #[must_use]
    pub fn sqlite_file(&self) -> Option<std::path::PathBuf> {
        let Ok(Scheme::Sqlite) = self.scheme() else { return None };
        let options: sqlx::sqlite::SqliteConnectOptions = self.url.parse().ok()?;
        Some(options.get_filename().to_owned())
    }

    pub(super) fn timeout(&self) -> Duration {
        Duration::from_millis(self.timeout_ms.get())
    }

    /// The `statement_timeout` of questions. A little shorter than our own timeout, so that a database that works reports it; one
    /// that stays silent may not work.
    pub(super) fn statement_timeout(&self) -> Duration {
        self.timeout() * 9 / 10
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(url: &str) -> DatabaseConfig {
        DatabaseConfig {
            url: url.into(),
            migrate: true,
            max_connections: NonZeroU32::MIN,
            timeout_ms: NonZeroU64::MIN,
            pooler: Pooler::None,
        }
    }

    #[test]
    fn a_pooler_has_no_sessions_for_migrations() {
        let pooled = DatabaseConfig { pooler: Pooler::Transaction, ..config("postgres://db/dlr") };
        assert!(matches!(pooled.check(), Err(BadDatabase::PooledMigration)));
        DatabaseConfig { migrate: false, ..pooled }.check().unwrap();
    }
}
