//! Deleting what is too old, as Postgres does it.

use std::sync::LazyLock;

use sqlx::{AssertSqlSafe, FromRow};

use super::{Postgres, Session};
use crate::{
    domain::Time,
    storage::{
        Cursor,
        expiry::retention::candidates,
        expiry::retention::{Partition, Swept},
        sql::take_lease,
    },
};

/// Takes a lease for so many microseconds.
pub(in crate::storage) const TAKE_LEASE: &str =
    take_lease!("clock_timestamp()", "clock_timestamp() + $3 * interval '1 microsecond'");

/// The clock, and when it was last seen.
pub(in crate::storage) const READ_CLOCK: &str = "SELECT clock_timestamp(), (SELECT seen_at FROM clock)";

/// What is deleted need not be on disk before the next step: after a crash it is deleted again.
const RELAXED: &str = "SELECT set_config('synchronous_commit', 'off', true)";

const CANDIDATES: &str = candidates!(", ctid::text AS place");

/// Deletes the messages in these places, but for those that have changed meanwhile, or are about to.
const DELETE_MESSAGES: &str = "DELETE FROM messages WHERE ctid = ANY(ARRAY( \
        SELECT ctid FROM messages WHERE ctid = ANY($1::text[]::tid[]) AND last_received_at < $2 \
        FOR UPDATE SKIP LOCKED)) \
     RETURNING id, first_received_at, last_received_at";

const DELETE_RECEIPTS: &str =
    "DELETE FROM receipts WHERE message_id = ANY($1) AND received_at >= $2 AND received_at <= $3";

/// The most messages of a step.
const MESSAGES: usize = 1000;
/// The blocks that a step deletes receipts of: about a thousand of them.
const BLOCKS: i64 = 32;
/// The most blocks that a step passes over where nothing is left.
const EMPTY_BLOCKS: i64 = 32_768;

/// What lies from block `$1` on and before block `$2`.
const WINDOW: &str = "ctid >= format('(%s,0)', $1::bigint)::tid AND ctid < format('(%s,0)', $2::bigint)::tid";

/// The first of these blocks with anything in it.
fn seek(partition: &str) -> String {
    format!(
        "SELECT split_part(trim('(' FROM ctid::text), ',', 1)::bigint FROM {partition} WHERE {WINDOW} LIMIT 1"
    )
}

/// Deletes what is older than `$3` in these blocks; and says how much there was.
fn sweep(partition: &str) -> String {
    format!(
        "WITH gone AS (DELETE FROM {partition} WHERE {WINDOW} AND received_at < $3 RETURNING 1) \
         SELECT (SELECT count(*) FROM gone), (SELECT count(*) FROM {partition} WHERE {WINDOW})"
    )
}

fn blocks(partition: &str) -> String {
    format!("SELECT pg_relation_size('{partition}'::regclass) / current_setting('block_size')::bigint")
}

/// Every statement of retention, on a partition that there is always.
pub(in crate::storage) fn statements() -> [&'static str; 8] {
    static SEEK: LazyLock<String> = LazyLock::new(|| seek("receipts_default"));
    static SWEEP: LazyLock<String> = LazyLock::new(|| sweep("receipts_default"));
    static SIZE: LazyLock<String> = LazyLock::new(|| blocks("receipts_default"));
    [TAKE_LEASE, READ_CLOCK, RELAXED, CANDIDATES, DELETE_MESSAGES, &SEEK, &SWEEP, &SIZE]
}

#[derive(FromRow)]
struct PgCandidate {
    id: i64,
    first_received_at: Time,
    last_received_at: Time,
    place: String,
}

#[derive(FromRow)]
struct Deleted {
    id: i64,
    first_received_at: Time,
    last_received_at: Time,
}

impl Postgres {
    pub async fn purge_messages(&self, before: Time, after: Cursor) -> sqlx::Result<Swept> {
        let candidates: Vec<PgCandidate> = sqlx::query_as(CANDIDATES)
            .bind(before)
            .bind(after.time())
            .bind(after.id)
            .bind(i64::try_from(MESSAGES).unwrap_or_default())
            .fetch_all(&mut *self.reading().await?)
            .await?;
        let last = candidates.last().filter(|_| candidates.len() == MESSAGES);
        let next = last.map(|last| Cursor::new(last.first_received_at, last.id));
        let old = candidates.into_iter().filter(|candidate| candidate.last_received_at < before);
        let places: Vec<String> = old.map(|candidate| candidate.place).collect();
        if places.is_empty() {
            return Ok(Swept { next, ..Swept::default() });
        }
        let mut session = self.begin(RELAXED).await?;
        let deleted = sqlx::query_as(DELETE_MESSAGES).bind(places).bind(before);
        let deleted: Vec<Deleted> = deleted.fetch_all(&mut *session).await?;
        let receipts = delete_receipts(&mut session, &deleted).await?;
        session.commit().await?;
        Ok(Swept { messages: deleted.len() as u64, receipts, next })
    }

    pub async fn purge_receipts(
        &self,
        Partition { name, .. }: &Partition,
        before: Time,
        after: Cursor,
    ) -> sqlx::Result<Swept> {
        let end: i64 =
            sqlx::query_scalar(AssertSqlSafe(blocks(name))).fetch_one(&mut *self.reading().await?).await?;
        let goal = after.id + EMPTY_BLOCKS;
        let seek = sqlx::query_scalar(AssertSqlSafe(seek(name))).bind(after.id).bind(goal);
        let at = |block: i64| Some(Cursor { micros: 0, id: block }).filter(|_| block < end);
        let Some(first): Option<i64> = seek.fetch_optional(&mut *self.reading().await?).await? else {
            return Ok(Swept { next: at(goal), ..Swept::default() });
        };
        let mut session = self.begin(RELAXED).await?;
        let sweep = sqlx::query_as(AssertSqlSafe(sweep(name))).bind(first).bind(first + BLOCKS).bind(before);
        let (gone, there): (i64, i64) = sweep.fetch_one(&mut *session).await?;
        session.commit().await?;
        let ended = gone == 0 && there > 0;
        let next = at(first + BLOCKS).filter(|_| !ended);
        Ok(Swept { messages: 0, receipts: gone.unsigned_abs(), next })
    }

    /// A transaction with a setting of its own.
    pub(super) async fn begin(&self, setting: &'static str) -> sqlx::Result<Session> {
        let mut session = self.writing().await?;
        sqlx::query(setting).execute(&mut *session).await?;
        Ok(session)
    }
}

/// Only partitions of the time in which they came are looked into.
async fn delete_receipts(session: &mut Session, messages: &[Deleted]) -> sqlx::Result<u64> {
    let first = messages.iter().map(|message| message.first_received_at).min();
    let last = messages.iter().map(|message| message.last_received_at).max();
    let Some((first, last)) = first.zip(last) else { return Ok(0) };
    let ids: Vec<i64> = messages.iter().map(|message| message.id).collect();
    let delete = sqlx::query(DELETE_RECEIPTS).persistent(false).bind(ids).bind(first).bind(last);
    Ok(delete.execute(&mut **session).await?.rows_affected())
}
