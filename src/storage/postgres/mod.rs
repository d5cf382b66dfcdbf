//! The store on Postgres.

mod campaign;
mod erase;
mod partitions;
mod prepare;
mod record;
mod retention;
mod session;
mod settle;
mod statements;
mod url;
mod writer;

use std::{sync::Arc, time::Duration};

use sqlx::{
    ConnectOptions,
    postgres::{PgConnectOptions, PgPool, PgPoolOptions},
};

pub(super) use statements::STATEMENTS;
pub(super) use url::read as read_url;
pub(super) use writer::PgWriter;

use self::session::{Begin, Session};
use crate::storage::{BadDatabase, DatabaseConfig, Pooler, StoreError};

/// Every statement that only Postgres runs and that `STATEMENTS` does not hold.
pub(super) fn statements() -> Vec<&'static str> {
    let own =
        [record::RECORD, record::RECORD_ONE, prepare::ENCODING, prepare::MIGRATES, READER, writer::GIVE_UP];
    [&own[..], &partitions::STATEMENTS, &retention::statements()].concat()
}

/// The settings of reading sessions. The timeout matches our own deadline: a later answer has no reader. Statistics use hash
/// tables that must not spill to disk, and end before JIT compilation would pay.
const READER: &str = "SELECT set_config('statement_timeout', $1, false), set_config('work_mem', '16MB', false), \
    set_config('jit', 'off', false)";

/// Postgres: a pool of connections for questions. Each writer has a connection of its own.
#[derive(Clone, Debug)]
pub(super) struct Postgres {
    pool: PgPool,
    options: Arc<PgConnectOptions>,
    patience: Duration,
    /// Begins transactions behind a pooler, which keeps no settings of a session; none without a pooler.
    pooled: Option<Begin>,
}

impl Postgres {
    /// Prepares the pool. Nothing is connected yet.
    pub fn open(config: &DatabaseConfig) -> Result<Self, StoreError> {
        let (options, unknown) = read_url(&config.url).map_err(BadDatabase::Unreadable)?;
        if !unknown.is_empty() {
            let parameters = unknown.join(", ");
            tracing::warn!(
                parameters,
                "database.url has parameters that the driver does not know; they are ignored"
            );
        }
        let options = options.application_name("dlr-receiver").disable_statement_logging();
        let pool = PgPoolOptions::new()
            .max_connections(config.max_connections.get())
            .acquire_timeout(config.timeout());
        let patience = config.statement_timeout().as_millis().max(1).to_string();
        let (pool, options, pooled) = match config.pooler {
            Pooler::None => (with_settings(pool, patience), options, None),
            Pooler::Transaction => {
                let settings =
                    [timeout_of(config.statement_timeout()), "work_mem = '16MB'".into(), "jit = off".into()];
                (pool, for_pooler(options), Some(Begin::with(&settings)))
            }
        };
        let pool = pool.connect_lazy_with(options.clone());
        Ok(Self { pool, options: Arc::new(options), patience: config.timeout(), pooled })
    }

    /// A connection to ask something over.
    pub async fn reading(&self) -> sqlx::Result<Session> {
        Session::reading(&self.pool, self.pooled.as_ref()).await
    }

    /// A transaction to change something in.
    pub async fn writing(&self) -> sqlx::Result<Session> {
        Session::writing(&self.pool, self.pooled.as_ref()).await
    }

    /// The pool. Statements go through `reading` and `writing`, which take poolers into account.
    pub fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// A writer, which connects when it is first used.
    pub fn writer(&self, patience: Duration) -> PgWriter {
        let pooled = self.pooled.as_ref().map(|_| Begin::with(&[timeout_of(patience)]));
        PgWriter::new(Arc::clone(&self.options), patience, pooled)
    }
}

/// A pool whose connections have the settings of reading sessions.
fn with_settings(pool: PgPoolOptions, patience: String) -> PgPoolOptions {
    pool.after_connect(move |connection, _| {
        let settings = sqlx::query(READER).bind(patience.clone()).persistent(false);
        Box::pin(async move { settings.execute(connection).await.map(|_| ()) })
    })
}

/// Drops session parameters that poolers refuse.
fn for_pooler(options: PgConnectOptions) -> PgConnectOptions {
    options.statement_cache_capacity(0).extra_float_digits(None)
}

fn timeout_of(patience: Duration) -> String {
    // 0 would be no timeout.
    format!("statement_timeout = {}", patience.as_millis().max(1))
}
