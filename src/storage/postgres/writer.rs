//! A connection that writes, and is replaced once it can no longer be used.

use std::sync::Arc;

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
    connection: Option<PgConnection>,
}

impl Writer {
    pub fn new(options: Arc<PgConnectOptions>) -> Self {
        Self { options, connection: None }
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
        let (connection, recorded) = attempt(self.options.connect().await?, receipts, messages).await;
        self.connection = connection;
        recorded
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
