//! Erasing messages with their receipts, some in each transaction: callbacks about them wait for it. A transaction
//! makes four statements, however many messages and receipts it changes.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use backon::{ExponentialBuilder, Retryable};

use super::{
    Backend, Erased, Erasure, Failure, Store, StoreError,
    erase_batch::{Changes, ErasedPart, FoundMessage, FoundReceipt, Locked, ReadPart, Receipt, keys, logs},
    sqlite,
};

/// Messages that are to be erased, in the order of their keys, in which callbacks lock them as well.
#[derive(Debug)]
pub(super) struct ToErase {
    pub messages: VecDeque<FoundMessage>,
    /// The last receipt of the first message that is erased; none where none is.
    after: Option<Receipt>,
    /// The most messages, and the most receipts, of the next transaction.
    room: usize,
}

/// The fewest and the most messages and receipts of a transaction.
const ROOM: std::ops::RangeInclusive<usize> = 8..=512;
/// A transaction that takes longer is followed by smaller ones: it must neither keep callbacks waiting nor run into
/// the store's own timeout, however slow the database is.
const TRANSACTION: Duration = Duration::from_millis(100);

impl Default for ToErase {
    fn default() -> Self {
        Self { messages: VecDeque::new(), after: None, room: 64 }
    }
}

impl ToErase {
    /// Takes off what a transaction has erased, and makes the next one as large as the time it took allows.
    fn done(&mut self, part: &ErasedPart, took: Duration) {
        self.messages.drain(..part.messages);
        self.after = part.after;
        let room = if took > TRANSACTION { self.room / 2 } else { self.room * 2 };
        self.room = room.clamp(*ROOM.start(), *ROOM.end());
    }
}

/// Erases in a transaction, and commits it. Messages are locked before their receipts are read, and lose the number
/// last: once a message no longer names it, no receipt of it does.
macro_rules! erase_batch {
    ($transaction:expr, $sql:expr, $erasure:expr, $wanted:expr) => {{
        let (mut transaction, sql, erasure, wanted) = ($transaction, $sql, $erasure, $wanted);
        let asked: Vec<&FoundMessage> = wanted.messages.iter().take(wanted.room).collect();
        let locked = sqlx::query_as(sql.lock_messages).bind(keys(&asked));
        let locked: Vec<Locked> = locked.fetch_all(&mut *transaction).await?;
        let room = i64::try_from(wanted.room).unwrap_or(i64::MAX);
        let logs = logs(&asked, &locked, wanted.after);
        let receipts = sqlx::query_as(sql.receipts_of).bind(&logs).bind(room);
        let receipts: Vec<FoundReceipt> = receipts.fetch_all(&mut *transaction).await?;
        let is_all = receipts.len() < wanted.room;
        let read = ReadPart { asked: &asked, locked: &locked, receipts: &receipts, is_all };
        let changes = Changes::of(erasure, &read)?;
        if let Some(receipts) = changes.receipts {
            sqlx::query(sql.update_receipts).bind(receipts).execute(&mut *transaction).await?;
        }
        if let Some(messages) = changes.messages {
            sqlx::query(sql.update_messages).bind(messages).execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
        Ok(changes.part)
    }};
}

impl Store {
    /// Erases the first ones of some messages, and takes them off. Counts what is committed.
    pub(super) async fn erase_first(
        &self,
        erasure: &Erasure,
        wanted: &mut ToErase,
        erased: &mut Erased,
    ) -> Result<(), StoreError> {
        let pauses = ExponentialBuilder::new().with_min_delay(Duration::from_millis(20)).with_jitter();
        let contended = |error: &StoreError| error.failure() == Failure::Contention;
        let began = Instant::now();
        let part = (|| self.erase_batch(erasure, wanted)).retry(pauses).when(contended).await?;
        wanted.done(&part, began.elapsed());
        erased.messages += part.messages as u64;
        erased.receipts += part.receipts;
        Ok(())
    }

    async fn erase_batch(&self, erasure: &Erasure, wanted: &ToErase) -> Result<ErasedPart, StoreError> {
        let sql = &self.statements().erase;
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
