//! Counts what a purge would delete.

use sqlx::AssertSqlSafe;

use crate::domain::Time;
use crate::storage::{Keep, Partition, Store, StoreError, on_readers, sql, time::StoredTime};

/// How many rows there are, and of which time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// How many rows.
    pub rows: u64,
    /// When the oldest was received last.
    pub oldest: Option<Time>,
    /// When the newest was.
    pub newest: Option<Time>,
}

type SpanRow = (i64, Option<StoredTime>, Option<StoredTime>);

impl From<SpanRow> for Span {
    fn from((rows, oldest, newest): SpanRow) -> Self {
        let [oldest, newest] = [oldest, newest].map(|time| time.map(Time::from));
        Self { rows: rows.unsigned_abs(), oldest, newest }
    }
}

/// Messages that are older than `$1`.
pub(in crate::storage) const OLD_MESSAGES: &str = "SELECT count(*), min(last_received_at), max(last_received_at) FROM messages \
     WHERE first_received_at < $1 AND last_received_at < $1";

/// Their receipts, from `$2` on.
pub(in crate::storage) const OLD_MESSAGES_RECEIPTS: &str = "SELECT count(*), min(received_at), max(received_at) \
     FROM receipts JOIN messages ON messages.id = receipts.message_id \
     WHERE received_at < $1 AND received_at >= $2 AND first_received_at < $1 AND last_received_at < $1";

impl Store {
    /// The messages of which the last receipt is older than `before`.
    ///
    /// # Errors
    /// [`StoreError`] where the database cannot answer.
    pub async fn old_messages(&self, before: Time) -> Result<Span, StoreError> {
        let row: SpanRow = on_readers!(self, pool => sqlx::query_as(OLD_MESSAGES)
            .bind(StoredTime(before))
            .fetch_one(pool))?;
        Ok(row.into())
    }

    /// The receipts of those messages that came from `from` on.
    ///
    /// # Errors
    /// [`StoreError`] where the database cannot answer.
    pub async fn receipts_of_old_messages(&self, before: Time, from: Time) -> Result<Span, StoreError> {
        let row: SpanRow = on_readers!(self, pool => sqlx::query_as(OLD_MESSAGES_RECEIPTS)
            .bind(StoredTime(before))
            .bind(StoredTime(from))
            .fetch_one(pool))?;
        Ok(row.into())
    }

    /// The receipts of a partition that are older than `before`.
    ///
    /// # Errors
    /// [`StoreError`] where the database cannot answer.
    pub async fn old_receipts(&self, partition: &Partition, before: Time) -> Result<Span, StoreError> {
        let name = &partition.name;
        let count =
            format!("SELECT count(*), min(received_at), max(received_at) FROM {name} WHERE received_at < $1");
        let row: SpanRow = on_readers!(self, pool => sqlx::query_as(AssertSqlSafe(count))
            .bind(StoredTime(before))
            .fetch_one(pool))?;
        Ok(row.into())
    }

    /// The refused bodies that are too old or too many.
    ///
    /// # Errors
    /// [`StoreError`] where the database cannot answer.
    pub async fn old_rejected(&self, now: Time, keep: Keep) -> Result<Span, StoreError> {
        let row: SpanRow = on_readers!(self, pool => sqlx::query_as(sql::OLD_REJECTED)
            .bind(i64::from(keep.count))
            .bind(StoredTime(keep.oldest(now)))
            .fetch_one(pool))?;
        Ok(row.into())
    }
}
