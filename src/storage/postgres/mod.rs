//! The store on Postgres.

mod record;

use sqlx::{
    ConnectOptions, Connection,
    postgres::{PgConnectOptions, PgPool, PgPoolOptions},
};
use tokio::time::timeout;

use super::{BadDatabase, DatabaseConfig, StoreError, tolerant};

/// Every statement that only Postgres runs.
pub(super) const STATEMENTS: [&str; 2] = [record::RECORD, ENCODING];

const ENCODING: &str = "SELECT current_setting('server_encoding')";

/// A pool of connections to Postgres.
#[derive(Clone, Debug)]
pub(super) struct Postgres {
    pool: PgPool,
}

impl Postgres {
    pub async fn connect(config: &DatabaseConfig) -> Result<Self, StoreError> {
        let options: PgConnectOptions = config.url.parse().map_err(BadDatabase::Unreadable)?;
        let options = options.application_name("dlr-receiver").disable_statement_logging();
        // The pool would only say that it timed out; one connection says why.
        let encoding = timeout(config.timeout(), encoding(&options)).await;
        let encoding = encoding.map_err(|_| StoreError::TimedOut(config.timeout()))??;
        if encoding != "UTF8" {
            return Err(StoreError::Encoding(encoding));
        }
        let pool = PgPoolOptions::new()
            .max_connections(config.max_connections.get())
            .acquire_timeout(config.timeout())
            .connect_with(options)
            .await?;
        Ok(Self { pool })
    }

    pub async fn migrate(&self) -> Result<(), StoreError> {
        let mut migrations = sqlx::migrate!("migrations/postgres");
        Ok(tolerant(&mut migrations).run(&self.pool).await?)
    }

    pub fn pool(&self) -> &PgPool {
        &self.pool
    }
}

async fn encoding(options: &PgConnectOptions) -> sqlx::Result<String> {
    let mut connection = options.connect().await?;
    let encoding = sqlx::query_scalar(ENCODING).fetch_one(&mut connection).await?;
    connection.close().await?;
    Ok(encoding)
}
