//! Erases messages with their receipts in small transactions, since callbacks about a locked message wait. A transaction
//! has four statements, however many messages and receipts it changes.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use backon::{ExponentialBuilder, Retryable};

use crate::storage::{
    Backend, Erased, Erasure, Failure, Store, StoreError,
    erasing::erase_batch::{
        Changes, ErasedPart, FoundMessage, FoundReceipt, Locked, ReadPart, Receipt, keys, logs,
    },
    sqlite,
};

/// Messages to erase, sorted by key: the order in which callbacks lock them, so the two cannot deadlock.
#[derive(Debug)]
pub(in crate::storage) struct ToErase {
    pub messages: VecDeque<FoundMessage>,
    /// The last receipt of the first message that is erased already, if any.
    after: Option<Receipt>,
    /// How many messages, and how many receipts, the next transaction may take.
    room: usize,
}

/// The bounds of that number.
const ROOM: std::ops::RangeInclusive<usize> = 8..=512;
/// The duration that transactions are sized for: a longer one halves the next, a shorter one doubles it. Callbacks must not
/// wait long, and no transaction may run into the store's timeout, however slow the database is.
const TRANSACTION: Duration = Duration::from_millis(100);

impl Default for ToErase {
    fn default() -> Self {
        Self { messages: VecDeque::new(), after: None, room: 64 }
    }
}

impl ToErase {
    /// Removes what a transaction has erased, and sizes the next one by the time it took.
    fn done(&mut self, part: &ErasedPart, took: Duration) {
        self.messages.drain(..part.messages);
        self.after = part.after;
        let room = if took > TRANSACTION { self.room / 2 } else { self.room * 2 };
        self.room = room.clamp(*ROOM.start(), *ROOM.end());
    }
}

/// Erases in a transaction and commits it. Messages are locked before their receipts are read, and lose the number last:
/// once a message no longer has the number, none of its receipts has. A macro, since the transactions of the two databases
/// are different types.
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
    /// Erases the first of the messages and removes them from the list. Counts what is committed.
    pub(in crate::storage) async fn erase_first(
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
