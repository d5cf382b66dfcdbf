//! Deleting what is too old, as SQLite does it. There is one writer: while it deletes, callbacks wait.

use sqlx::{FromRow, SqliteConnection};

use super::{Sqlite, begin, give_back};
use crate::{
    domain::Time,
    storage::{
        Cursor, expiry::retention::Swept, expiry::retention::candidates, sql::take_lease, time::StoredTime,
    },
};

/// Takes a lease for so many microseconds.
pub(in crate::storage) const TAKE_LEASE: &str = take_lease!(
    "CAST(unixepoch('subsec') * 1000000 AS INTEGER)",
    "CAST(unixepoch('subsec') * 1000000 AS INTEGER) + $3"
);

/// The clock, and when it was last seen. It is that of the machine, as the process's is.
pub(in crate::storage) const READ_CLOCK: &str =
    "SELECT CAST(unixepoch('subsec') * 1000000 AS INTEGER), (SELECT seen_at FROM clock)";

const CANDIDATES: &str = candidates!("");

/// Of the messages in a JSON array of numbers, unless a callback has come for them meanwhile.
const DELETE_RECEIPTS: &str = "DELETE FROM receipts WHERE message_id IN (SELECT id FROM messages \
    WHERE id IN (SELECT value FROM json_each($1)) AND last_received_at < $2)";
const DELETE_MESSAGES: &str =
    "DELETE FROM messages WHERE id IN (SELECT value FROM json_each($1)) AND last_received_at < $2";

/// The next receipts in the order of their numbers: where they end, and how many are older than `$2`.
const NEXT_RECEIPTS: &str = "SELECT max(id), COALESCE(sum(received_at < $2), 0), count(*) \
     FROM (SELECT id, received_at FROM receipts WHERE id > $1 ORDER BY id LIMIT $3)";
const SWEEP_RECEIPTS: &str = "DELETE FROM receipts WHERE id > $1 AND id <= $2 AND received_at < $3";

/// Every statement above.
pub(in crate::storage) const STATEMENTS: [&str; 7] =
    [TAKE_LEASE, READ_CLOCK, CANDIDATES, DELETE_RECEIPTS, DELETE_MESSAGES, NEXT_RECEIPTS, SWEEP_RECEIPTS];

/// The most messages, or receipts, of a step: some milliseconds, which callbacks wait for.
const ROWS: usize = 200;

#[derive(FromRow)]
struct SqliteCandidate {
    id: i64,
    first_received_at: StoredTime,
    last_received_at: StoredTime,
}

impl Sqlite {
    pub async fn purge_messages(&self, before: Time, after: Cursor) -> sqlx::Result<Swept> {
        let candidates: Vec<SqliteCandidate> = sqlx::query_as(CANDIDATES)
            .bind(StoredTime(before))
            .bind(StoredTime(after.time()))
            .bind(after.id)
            .bind(i64::try_from(ROWS).unwrap_or_default())
            .fetch_all(self.readers())
            .await?;
        let last = candidates.last().filter(|_| candidates.len() == ROWS);
        let next = last.map(|last| Cursor::new(last.first_received_at.0, last.id));
        let old = candidates.iter().filter(|candidate| candidate.last_received_at.0 < before);
        let ids: Vec<i64> = old.map(|candidate| candidate.id).collect();
        if ids.is_empty() {
            return Ok(Swept { next, ..Swept::default() });
        }
        let mut connection = self.writer().acquire().await?;
        let deleted = delete(&mut connection, &serde_json::Value::from(ids).to_string(), before).await;
        let (messages, receipts) = give_back(connection, deleted)?;
        Ok(Swept { messages, receipts, next })
    }

    pub async fn purge_receipts(&self, before: Time, after: Cursor) -> sqlx::Result<Swept> {
        let rows = i64::try_from(ROWS).unwrap_or_default();
        let next = sqlx::query_as(NEXT_RECEIPTS).bind(after.id).bind(StoredTime(before)).bind(rows);
        let (through, old, there): (Option<i64>, i64, i64) = next.fetch_one(self.readers()).await?;
        let Some(through) = through.filter(|_| old > 0) else { return Ok(Swept::default()) };
        let sweep = sqlx::query(SWEEP_RECEIPTS).bind(after.id).bind(through).bind(StoredTime(before));
        let mut connection = self.writer().acquire().await?;
        let swept = sweep.execute(&mut *connection).await;
        let receipts = give_back(connection, swept)?.rows_affected();
        let next = Some(Cursor { micros: 0, id: through }).filter(|_| there == rows);
        Ok(Swept { messages: 0, receipts, next })
    }
}

async fn delete(connection: &mut SqliteConnection, ids: &str, before: Time) -> sqlx::Result<(u64, u64)> {
    let mut transaction = begin(connection).await?;
    let receipts = sqlx::query(DELETE_RECEIPTS).bind(ids).bind(StoredTime(before));
    let receipts = receipts.execute(&mut *transaction).await?.rows_affected();
    let messages = sqlx::query(DELETE_MESSAGES).bind(ids).bind(StoredTime(before));
    let messages = messages.execute(&mut *transaction).await?.rows_affected();
    transaction.commit().await?;
    Ok((messages, receipts))
}
