//! A connection that writes, and is replaced once it can no longer be used.

use std::{sync::Arc, time::Duration};

use sqlx::{ConnectOptions, Connection, PgConnection, postgres::PgConnectOptions};

use super::{
    record::{record, record_unnamed},
    session::Begin,
};
use crate::{domain::Batch, storage::StoreError};

/// Writes batches over a connection of its own. Not of the pool: taking one out of it costs a round trip.
#[derive(Debug)]
pub struct PgWriter {
    options: Arc<PgConnectOptions>,
    patience: Duration,
    /// How a batch begins behind a pooler; none where there is none.
    pooled: Option<Begin>,
    connection: Option<PgConnection>,
}

/// The server does not notice that somebody has hung up who waits for a lock.
pub(super) const GIVE_UP: &str = "SELECT set_config('statement_timeout', $1, false)";

impl PgWriter {
    pub fn new(options: Arc<PgConnectOptions>, patience: Duration, pooled: Option<Begin>) -> Self {
        Self { options, patience, pooled, connection: None }
    }

    /// Records a batch; false where some messages could not be merged as they are. A stale connection is replaced
    /// once: the database may have been restarted since it was last used.
    pub async fn record(&mut self, batch: &Batch<'_>) -> Result<bool, StoreError> {
        // Taken out, so that it is closed where this is dropped halfway.
        if let Some(connection) = self.connection.take() {
            let (connection, recorded) = self.attempt(connection, batch).await;
            self.connection = connection;
            if self.connection.is_some() {
                return recorded;
            }
        }
        let connection = self.connect().await?;
        let (connection, recorded) = self.attempt(connection, batch).await;
        self.connection = connection;
        recorded
    }

    /// A connection on which the server gives up a batch as well, once nobody waits for it any more.
    async fn connect(&self) -> sqlx::Result<PgConnection> {
        let mut connection = self.options.connect().await?;
        if self.pooled.is_none() {
            let patience = self.patience.as_millis().to_string();
            sqlx::query(GIVE_UP).bind(patience).persistent(false).execute(&mut connection).await?;
        }
        Ok(connection)
    }

    /// The connection comes back where it can still be used.
    async fn attempt(
        &self,
        mut connection: PgConnection,
        batch: &Batch<'_>,
    ) -> (Option<PgConnection>, Result<bool, StoreError>) {
        let recorded = match &self.pooled {
            None => record(&mut connection, batch).await,
            Some(begin) => record_pooled(&mut connection, begin, batch).await,
        };
        let recorded = recorded.map_err(StoreError::from);
        let usable = recorded.as_ref().err().is_none_or(|error| !error.breaks_connection());
        (usable.then_some(connection), recorded)
    }
}

/// The same in a transaction, which a pooler keeps on one session of the server.
async fn record_pooled(
    connection: &mut PgConnection,
    begin: &Begin,
    batch: &Batch<'_>,
) -> sqlx::Result<bool> {
    let mut transaction = connection.begin_with(begin.statement()).await?;
    match record_unnamed(&mut transaction, batch).await {
        Ok(whole) => transaction.commit().await.map(|()| whole),
        Err(error) => {
            // At once, so that the session goes back to the pooler. Where that fails, the next use shows it.
            let _ = transaction.rollback().await;
            Err(error)
        }
    }
}
