//! A connection that writes, and is replaced once it can no longer be used.

use std::{sync::Arc, time::Duration};

use sqlx::{ConnectOptions, PgConnection, postgres::PgConnectOptions};

use super::record::record;
use crate::{
    domain::{DeliveryReceipt, Message},
    storage::StoreError,
};

/// Writes batches over a connection of its own. Not of the pool: taking one out of it costs a round trip.
#[derive(Debug)]
pub struct Writer {
    options: Arc<PgConnectOptions>,
    patience: Duration,
    connection: Option<PgConnection>,
}

/// The server does not notice that somebody has hung up who waits for a lock.
pub(super) const GIVE_UP: &str = "SELECT set_config('statement_timeout', $1, false)";

impl Writer {
    pub fn new(options: Arc<PgConnectOptions>, patience: Duration) -> Self {
        Self { options, patience, connection: None }
    }

    /// Records a batch. A connection that has gone stale is replaced, once: the database may have been
    /// restarted since it was last used.
    pub async fn record(
        &mut self,
        receipts: &[&DeliveryReceipt],
        messages: &[Message<'_>],
    ) -> Result<(), StoreError> {
        // Taken out, so that it is closed where this is dropped halfway.
        if let Some(connection) = self.connection.take() {
            let (connection, recorded) = attempt(connection, receipts, messages).await;
            self.connection = connection;
            if self.connection.is_some() {
                return recorded;
            }
        }
        let (connection, recorded) = attempt(self.connect().await?, receipts, messages).await;
        self.connection = connection;
        recorded
    }

    /// A connection on which the server gives up a batch as well, once nobody waits for it any more.
    async fn connect(&self) -> sqlx::Result<PgConnection> {
        let mut connection = self.options.connect().await?;
        let patience = self.patience.as_millis().to_string();
        sqlx::query(GIVE_UP).bind(patience).persistent(false).execute(&mut connection).await?;
        Ok(connection)
    }
}

/// The connection comes back where it can still be used.
async fn attempt(
    mut connection: PgConnection,
    receipts: &[&DeliveryReceipt],
    messages: &[Message<'_>],
) -> (Option<PgConnection>, Result<(), StoreError>) {
    let recorded = record(&mut connection, receipts, messages).await.map_err(StoreError::from);
    let usable = recorded.as_ref().err().is_none_or(|error| !error.breaks_connection());
    (usable.then_some(connection), recorded)
}
