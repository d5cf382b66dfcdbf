//! Writing receipts, one batch at a time.

use std::time::Duration;

use backon::{ExponentialBuilder, RetryableWithContext};

use super::{Backend, Failure, Store, StoreError, postgres, sqlite};
use crate::domain::{DeliveryReceipt, Message};

/// Writes receipts, one batch at a time, over a connection of its own.
#[derive(Debug)]
pub struct Writer(Kind);

#[derive(Debug)]
enum Kind {
    Postgres(Box<postgres::Writer>),
    Sqlite(sqlite::Sqlite),
}

/// How often, and after which pauses, a batch is tried again that other writers are in the way of.
fn patience() -> ExponentialBuilder {
    ExponentialBuilder::new().with_min_delay(Duration::from_millis(2)).with_max_times(6).with_jitter()
}

impl Store {
    /// Something that writes receipts; it connects when it is first used. A batch that somebody waits for
    /// no longer than `patience` is given up by the database too, then.
    #[must_use]
    pub fn writer(&self, patience: Duration) -> Writer {
        Writer(match &self.backend {
            Backend::Postgres(postgres) => Kind::Postgres(Box::new(postgres.writer(patience))),
            Backend::Sqlite(sqlite) => Kind::Sqlite(sqlite.clone()),
        })
    }
}

impl Writer {
    /// Appends a batch of receipts and advances the outcomes of their messages, in one transaction.
    /// Once it returns `Ok`, all of it is on disk. May be dropped at any time: whether the batch is on
    /// disk is then not known.
    ///
    /// # Errors
    /// [`StoreError`]: none of the batch is known to be kept, and all of it may be recorded again.
    pub async fn record(&mut self, receipts: &[&DeliveryReceipt]) -> Result<(), StoreError> {
        let messages = &Message::of_batch(receipts.iter().copied());
        let attempt = |kind| attempt(kind, receipts, messages);
        let contended = |error: &StoreError| error.failure() == Failure::Contention;
        attempt.retry(patience()).context(&mut self.0).when(contended).await.1
    }
}

/// The writer comes back for the next attempt.
async fn attempt<'w>(
    kind: &'w mut Kind,
    receipts: &[&DeliveryReceipt],
    messages: &[Message<'_>],
) -> (&'w mut Kind, Result<(), StoreError>) {
    let recorded = match kind {
        Kind::Postgres(postgres) => postgres.record(receipts, messages).await,
        Kind::Sqlite(sqlite) => sqlite.record(receipts, messages).await.map_err(StoreError::from),
    };
    (kind, recorded)
}
