//! Writes batches of receipts and of the messages that they make up.

use std::time::Duration;

use backon::{ExponentialBuilder, RetryableWithContext};
use tokio::time::timeout;

use crate::domain::{AccountName, Batch, DeliveryReceipt, Message, MessageSid};
use crate::storage::{Backend, Failure, Normaliser, Store, StoreError, postgres, sqlite};

/// Writes one batch at a time, over a connection of its own.
#[derive(Debug)]
pub struct Writer {
    kind: Kind,
    store: Store,
    normaliser: Normaliser,
}

/// A message with receipts that take no part in its outcome, since their callback URLs were signed for another recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dispute {
    /// The message.
    pub sid: MessageSid,
    /// Its account.
    pub account: AccountName,
    /// How many receipts are excluded now that took part before, or are new.
    pub excluded: usize,
}

#[derive(Debug)]
enum Kind {
    Postgres(Box<postgres::PgWriter>),
    Sqlite(sqlite::Sqlite),
}

/// Retries, with backoff, of a batch that failed because of another writer's locks.
fn patience() -> ExponentialBuilder {
    ExponentialBuilder::new().with_min_delay(Duration::from_millis(2)).with_max_times(6).with_jitter()
}

impl Store {
    /// A writer, which connects when it is first used. The database cancels a batch that takes longer than `patience`, since
    /// then nobody waits for it any more.
    #[must_use]
    pub fn writer(&self, patience: Duration) -> Writer {
        let kind = match &self.backend {
            Backend::Postgres(postgres) => Kind::Postgres(Box::new(postgres.writer(patience))),
            Backend::Sqlite(sqlite) => Kind::Sqlite(sqlite.clone()),
        };
        Writer { kind, store: self.clone(), normaliser: Normaliser::default() }
    }

    /// Checks that the database would commit a batch now.
    ///
    /// # Errors
    /// [`StoreError`] where it would not, or does not answer in time.
    pub async fn try_writing(&self) -> Result<(), StoreError> {
        self.writer(self.deadline).try_writing(self.deadline).await
    }
}

impl Writer {
    /// The same writer, which normalises stored receipts by these rules where it settles a dispute.
    #[must_use]
    pub fn normalising_by(self, normaliser: Normaliser) -> Self {
        Self { normaliser, ..self }
    }

    /// Appends the receipts of a batch and merges its messages into the stored ones, in one transaction; each disputed message
    /// has a transaction of its own. `Ok` means that all of it is on disk. May be dropped at any time; whether the batch is on
    /// disk is then not known.
    ///
    /// # Errors
    /// [`StoreError`]: some of the batch may be stored. All of it may be recorded again.
    pub async fn record(&mut self, batch: &Batch<'_>) -> Result<Vec<Dispute>, StoreError> {
        if batch.is_disputed() {
            return Box::pin(self.record_apart(batch)).await;
        }
        if self.merge(batch).await? {
            return Ok(Vec::new());
        }
        Box::pin(self.settle_contested(batch)).await
    }

    /// Records a batch in which receipts of one message were signed for different recipients.
    async fn record_apart(&mut self, batch: &Batch<'_>) -> Result<Vec<Dispute>, StoreError> {
        let (contested, others) = batch.split_disputed();
        let mut disputes = Vec::new();
        if !others.receipts().is_empty() && !self.merge(&others).await? {
            disputes = self.settle_contested(&others).await?;
        }
        disputes.extend(self.settle(batch.receipts(), &contested.iter().collect::<Vec<_>>()).await?);
        Ok(disputes)
    }

    /// Settles the messages that the merge has left unchanged.
    async fn settle_contested(&self, batch: &Batch<'_>) -> Result<Vec<Dispute>, StoreError> {
        let contested = self.store.contested(batch.messages()).await?;
        self.settle(batch.receipts(), &contested).await
    }

    async fn settle(
        &self,
        receipts: &[&DeliveryReceipt],
        contested: &[&Message<'_>],
    ) -> Result<Vec<Dispute>, StoreError> {
        let mut disputes = Vec::new();
        for message in contested {
            let theirs = receipts.iter().copied().filter(|receipt| message.is_about(receipt));
            let excluded = self.store.settle(&theirs.collect::<Vec<_>>(), &self.normaliser).await?;
            let (sid, account) = (message.sid.clone().into_owned(), message.account.clone().into_owned());
            disputes.extend((excluded > 0).then_some(Dispute { sid, account, excluded }));
        }
        Ok(disputes)
    }

    /// Merges a batch. False where some messages are disputed by what is stored: nothing of those is written.
    async fn merge(&mut self, batch: &Batch<'_>) -> Result<bool, StoreError> {
        let attempt = |kind| attempt(kind, batch);
        let contended = |error: &StoreError| error.failure() == Failure::Contention;
        attempt.retry(patience()).context(&mut self.kind).when(contended).await.1
    }

    /// Records an empty batch, which shows whether the database would commit one. A database that answers questions may still be
    /// read-only, or lack a table or a right.
    ///
    /// # Errors
    /// [`StoreError`] where it would not, or does not answer within `deadline`.
    pub async fn try_writing(&mut self, deadline: Duration) -> Result<(), StoreError> {
        let tried = async {
            match &mut self.kind {
                Kind::Postgres(postgres) => postgres.record(&Batch::default()).await.map(|_| ()),
                Kind::Sqlite(sqlite) => Ok(sqlite.try_writing().await?),
            }
        };
        timeout(deadline, tried).await.unwrap_or(Err(StoreError::TimedOut(deadline)))
    }
}

/// Tries once. Returns the writer for the next attempt.
async fn attempt<'w>(kind: &'w mut Kind, batch: &Batch<'_>) -> (&'w mut Kind, Result<bool, StoreError>) {
    let recorded = match kind {
        Kind::Postgres(postgres) => postgres.record(batch).await,
        Kind::Sqlite(sqlite) => sqlite.record(batch).await.map_err(StoreError::from),
    };
    (kind, recorded)
}
