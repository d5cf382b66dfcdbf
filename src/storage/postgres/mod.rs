//! The store on Postgres.

mod campaign;
mod record;
mod writer;

use std::{sync::Arc, time::Duration};

use sqlx::{
    ConnectOptions, Connection,
    postgres::{PgConnectOptions, PgPool, PgPoolOptions},
};
use tokio::time::timeout;

pub(super) use campaign::CAMPAIGN;
pub(super) use writer::Writer;

use super::{BadDatabase, DatabaseConfig, StoreError, tolerant};

/// Every statement that only Postgres runs.
pub(super) const STATEMENTS: [&str; 5] =
    [record::RECORD, record::RECORD_ONE, ENCODING, READER, writer::GIVE_UP];

/// Nobody waits longer for an answer. Statistics count into tables in memory, which must not spill, and are
/// over before compiling them would pay.
const READER: &str = "SELECT set_config('statement_timeout', $1, false), set_config('work_mem', '16MB', false), \
    set_config('jit', 'off', false)";

const ENCODING: &str = "SELECT current_setting('server_encoding')";

/// Postgres: a pool of connections that read, and as many that write as there are writers.
#[derive(Clone, Debug)]
pub(super) struct Postgres {
    pool: PgPool,
    options: Arc<PgConnectOptions>,
    patience: Duration,
}

impl Postgres {
    /// Connects to nothing yet.
    pub fn open(config: &DatabaseConfig) -> Result<Self, StoreError> {
        let options: PgConnectOptions = config.url.parse().map_err(BadDatabase::Unreadable)?;
        let options = options.application_name("dlr-receiver").disable_statement_logging();
        let patience = config.timeout().as_millis().to_string();
        let pool = PgPoolOptions::new()
            .max_connections(config.max_connections.get())
            .acquire_timeout(config.timeout())
            .after_connect(move |connection, _| {
                let settings = sqlx::query(READER).bind(patience.clone()).persistent(false);
                Box::pin(async move { settings.execute(connection).await.map(|_| ()) })
            })
            .connect_lazy_with(options.clone());
        Ok(Self { pool, options: Arc::new(options), patience: config.timeout() })
    }

    /// Whether it answers, and holds every text.
    pub async fn check(&self) -> Result<(), StoreError> {
        // The pool would only say that it timed out; one connection says why.
        let encoding = timeout(self.patience, encoding(&self.options)).await;
        match encoding.map_err(|_| StoreError::TimedOut(self.patience))??.as_str() {
            "UTF8" => Ok(()),
            other => Err(StoreError::Encoding(other.to_owned())),
        }
    }

    pub async fn migrate(&self) -> Result<(), StoreError> {
        let mut migrations = sqlx::migrate!("migrations/postgres");
        // Over a connection of its own, which is given as long as it takes.
        let options = PgConnectOptions::clone(&self.options);
        let pool = PgPoolOptions::new().max_connections(1).acquire_timeout(self.patience);
        let pool = pool.connect_with(options).await?;
        let done = tolerant(&mut migrations).run(&pool).await;
        pool.close().await;
        Ok(done?)
    }

    pub fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// A writer; it connects when it is first used.
    pub fn writer(&self, patience: Duration) -> Writer {
        Writer::new(Arc::clone(&self.options), patience)
    }
}

async fn encoding(options: &PgConnectOptions) -> sqlx::Result<String> {
    let mut connection = options.connect().await?;
    let encoding = sqlx::query_scalar(ENCODING).fetch_one(&mut connection).await?;
    connection.close().await?;
    Ok(encoding)
}
