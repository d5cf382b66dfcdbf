//! Erasing messages with their receipts, a few in each transaction: callbacks about them wait for it.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use backon::{ExponentialBuilder, Retryable};
use sqlx::FromRow;

use super::{
    Backend, Erased, Erasure, Failure, Store, StoreError,
    dialect::Dialect,
    erase_sql::{EraseSql, RECEIPTS_OF},
    postgres, sqlite,
    time::StoredTime,
};

/// A message that is to be erased, or may have to be.
#[derive(Debug, FromRow)]
pub(super) struct Found {
    pub sid: String,
    pub account: String,
    pub first_received_at: StoredTime,
    pub id: i64,
    /// Whether it names the number.
    pub named: bool,
}

/// Messages that are to be erased, in the order of their keys, in which callbacks lock them as well.
#[derive(Debug, Default)]
pub(super) struct ToErase {
    pub messages: VecDeque<Found>,
    /// The last receipt of the first message that is erased; none where none is.
    after: Option<Receipt>,
}

type Receipt = (StoredTime, i64);

/// What a transaction has erased.
struct Batch {
    receipts: u64,
    /// Messages that are done.
    messages: usize,
    /// The last receipt of the one that is not.
    after: Option<Receipt>,
}

/// The most messages, and the most of their receipts, of one transaction.
const MESSAGES: usize = 20;
const RECEIPTS: i64 = 500;
/// After so long a transaction is committed with what it has done, so that it neither keeps callbacks waiting nor runs
/// into the store's own timeout, however slow the database is.
const TRANSACTION: Duration = Duration::from_millis(250);

#[derive(FromRow)]
struct Locked {
    id: i64,
    first_received_at: StoredTime,
    last_received_at: StoredTime,
    labels: String,
}

#[derive(FromRow)]
struct FoundReceipt {
    id: i64,
    received_at: StoredTime,
    labels: String,
    fields: String,
}

/// Erases in a transaction, and commits it. A message's row comes last, and is locked before its receipts are read:
/// once it no longer names the number, no receipt of it does.
macro_rules! erase_batch {
    ($transaction:expr, $sql:expr, $erasure:expr, $wanted:expr) => {{
        let (mut transaction, sql, erasure, wanted) = ($transaction, $sql, $erasure, $wanted);
        let mut batch = Batch { receipts: 0, messages: 0, after: wanted.after };
        let (mut room, began) = (RECEIPTS, Instant::now());
        'messages: for message in wanted.messages.iter().take(MESSAGES) {
            let locked = sqlx::query_as(sql.lock_message).bind(&message.sid).bind(&message.account);
            let locked: Option<Locked> = locked.fetch_optional(&mut *transaction).await?;
            // Retention may have deleted it meanwhile.
            let Some(locked) = locked else {
                (batch.messages, batch.after) = (batch.messages + 1, None);
                continue;
            };
            let (received_at, id) = batch.after.unwrap_or((locked.first_received_at, 0));
            let receipts = sqlx::query_as(RECEIPTS_OF)
                .bind(locked.id)
                .bind(received_at)
                .bind(id)
                .bind(locked.last_received_at)
                .bind(room);
            let receipts: Vec<FoundReceipt> = receipts.fetch_all(&mut *transaction).await?;
            for receipt in &receipts {
                batch.after = Some((receipt.received_at, receipt.id));
                let labels = erasure.labels(&receipt.labels)?;
                let fields = erasure.fields(&receipt.fields)?;
                // Whoever erases what was erased before gets to the rest soon.
                if labels == receipt.labels && fields == receipt.fields {
                    batch.receipts += 1;
                    continue;
                }
                sqlx::query(sql.update_receipt)
                    .bind(labels)
                    .bind(fields)
                    .bind(locked.id)
                    .bind(receipt.received_at)
                    .bind(receipt.id)
                    .execute(&mut *transaction)
                    .await?;
                batch.receipts += 1;
                if began.elapsed() > TRANSACTION {
                    break 'messages;
                }
            }
            room -= i64::try_from(receipts.len()).unwrap_or(room);
            if room <= 0 {
                // There may be more of them.
                break;
            }
            sqlx::query(sql.update_message)
                .bind(erasure.labels(&locked.labels)?)
                .bind(&message.sid)
                .bind(&message.account)
                .execute(&mut *transaction)
                .await?;
            (batch.messages, batch.after) = (batch.messages + 1, None);
            if began.elapsed() > TRANSACTION {
                break;
            }
        }
        transaction.commit().await?;
        Ok(batch)
    }};
}

impl Store {
    pub(super) fn erase_sql(&self) -> &'static EraseSql {
        match self.dialect() {
            Dialect::Postgres => &postgres::ERASE,
            Dialect::Sqlite => &sqlite::ERASE,
        }
    }

    /// Erases the first ones of some messages, and takes them off. Counts what is committed.
    pub(super) async fn erase_first(
        &self,
        erasure: &Erasure,
        wanted: &mut ToErase,
        erased: &mut Erased,
    ) -> Result<(), StoreError> {
        let pauses = ExponentialBuilder::new().with_min_delay(Duration::from_millis(20)).with_jitter();
        let contended = |error: &StoreError| error.failure() == Failure::Contention;
        let batch = (|| self.erase_batch(erasure, wanted)).retry(pauses).when(contended).await?;
        wanted.messages.drain(..batch.messages);
        wanted.after = batch.after;
        erased.messages += batch.messages as u64;
        erased.receipts += batch.receipts;
        Ok(())
    }

    async fn erase_batch(&self, erasure: &Erasure, wanted: &ToErase) -> Result<Batch, StoreError> {
        let sql = self.erase_sql();
        match &self.backend {
            Backend::Postgres(to) => {
                let erased = async { erase_batch!(to.writing().await?, sql, erasure, wanted) };
                Box::pin(self.in_time(erased)).await
            }
            Backend::Sqlite(to) => {
                let erased = async {
                    let mut connection = to.writer().acquire().await?;
                    let erased =
                        async { erase_batch!(sqlite::begin(&mut connection).await?, sql, erasure, wanted) };
                    let erased = erased.await;
                    sqlite::give_back(connection, erased)
                };
                Box::pin(self.in_time(erased)).await
            }
        }
    }
}
