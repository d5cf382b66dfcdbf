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
use super::{BadDatabase, DatabaseConfig, Pooler, StoreError};

/// Every statement that only Postgres runs, but for those of a campaign.
pub(super) fn statements() -> Vec<&'static str> {
    let own =
        [record::RECORD, record::RECORD_ONE, prepare::ENCODING, prepare::MIGRATES, READER, writer::GIVE_UP];
    [&own[..], &partitions::STATEMENTS, &retention::statements()].concat()
}

/// Nobody waits longer for an answer. Statistics count into tables in memory, which must not spill, and are
/// over before compiling them would pay.
const READER: &str = "SELECT set_config('statement_timeout', $1, false), set_config('work_mem', '16MB', false), \
    set_config('jit', 'off', false)";

/// Postgres: a pool of connections that read, and as many that write as there are writers.
#[derive(Clone, Debug)]
pub(super) struct Postgres {
    pool: PgPool,
    options: Arc<PgConnectOptions>,
    patience: Duration,
    /// How transactions begin behind a pooler, which keeps no settings; none where there is none.
    pooled: Option<Begin>,
}

impl Postgres {
    /// Connects to nothing yet.
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

    /// The connections as a whole. Statements go through `reading` and `writing`, which know of poolers.
    pub fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// A writer; it connects when it is first used.
    pub fn writer(&self, patience: Duration) -> PgWriter {
        let pooled = self.pooled.as_ref().map(|_| Begin::with(&[timeout_of(patience)]));
        PgWriter::new(Arc::clone(&self.options), patience, pooled)
    }
}

/// A pool of which every connection keeps the settings of those that read.
fn with_settings(pool: PgPoolOptions, patience: String) -> PgPoolOptions {
    pool.after_connect(move |connection, _| {
        let settings = sqlx::query(READER).bind(patience.clone()).persistent(false);
        Box::pin(async move { settings.execute(connection).await.map(|_| ()) })
    })
}

/// Poolers know few parameters of a session, and refuse the others.
fn for_pooler(options: PgConnectOptions) -> PgConnectOptions {
    options.statement_cache_capacity(0).extra_float_digits(None)
}

fn timeout_of(patience: Duration) -> String {
    // 0 would be no timeout.
    format!("statement_timeout = {}", patience.as_millis().max(1))
}
