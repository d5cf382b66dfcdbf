//! `[database]`.

use std::{
    borrow::Cow,
    num::{NonZeroU32, NonZeroU64},
    time::Duration,
};

use serde::{Deserialize, Serialize, Serializer};
use sqlx::{postgres::PgConnectOptions, sqlite::SqliteConnectOptions};
use url::Url;

use super::BadDatabase;

/// `[database]`: where receipts and messages are kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DatabaseConfig {
    /// `sqlite://PATH` or `postgres://USER:PASSWORD@HOST/DATABASE`.
    #[serde(serialize_with = "without_password")]
    pub url: String,
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
    /// Nobody waits longer for a database.
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
            Scheme::Postgres => {
                self.url.parse::<PgConnectOptions>().map(|_| ()).map_err(BadDatabase::Unreadable)
            }
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

    /// After which time the database itself gives a question up. A little shorter than the question may take as a whole:
    /// a database that says so is well, one that is silent may not be.
    pub(super) fn statement_timeout(&self) -> Duration {
        self.timeout() * 9 / 10
    }
}

fn without_password<S: Serializer>(url: &str, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&Url::parse(url).map_or_else(|_| "[redacted]".to_owned(), redacted))
}

/// A password stands before the host, or among the driver's parameters.
fn redacted(mut url: Url) -> String {
    if url.password().is_some() {
        // Fails for URLs that cannot have one, and this one has one.
        let _ = url.set_password(Some("redacted"));
    }
    if url.query_pairs().any(|(key, _)| key.contains("password")) {
        let shown = |(key, value): (Cow<'_, str>, Cow<'_, str>)| {
            let value = if key.contains("password") { "redacted".into() } else { value.into_owned() };
            (key.into_owned(), value)
        };
        let pairs: Vec<(String, String)> = url.query_pairs().map(shown).collect();
        url.query_pairs_mut().clear().extend_pairs(pairs);
    }
    url.into()
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

    #[test]
    fn a_password_is_not_shown() {
        let shown =
            |url: &str| serde_json::to_value(config(url)).unwrap()["url"].as_str().unwrap().to_owned();
        assert_eq!(
            shown("postgres://dlr:pa55@db/dlr?sslmode=require"),
            "postgres://dlr:redacted@db/dlr?sslmode=require"
        );
        assert_eq!(shown("sqlite://data/dlr.db"), "sqlite://data/dlr.db");
        assert_eq!(shown("postgres://dlr:pa55@[db"), "[redacted]");
        assert_eq!(shown("postgres://db/dlr?password=pa55&a=b"), "postgres://db/dlr?password=redacted&a=b");
    }
}
