//! Counts messages whose outcome is still pending, by age.

use chrono::Duration;

use crate::domain::Time;
use crate::storage::{Store, StoreError, on_readers, time::StoredTime};

/// Messages whose outcome is pending, by how long ago their first receipt came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PendingByAge {
    /// Less than an hour ago.
    pub under_1h: u64,
    /// Less than six hours ago.
    pub under_6h: u64,
    /// Less than a day ago.
    pub under_24h: u64,
    /// Longer ago.
    pub over_24h: u64,
}

/// Its last condition repeats that of the partial index `messages_outcome` (migration 0007), which the statement is answered
/// from.
pub(in crate::storage) const PENDING: &str = "SELECT \
        count(*) FILTER (WHERE first_received_at > $1), \
        count(*) FILTER (WHERE first_received_at <= $1 AND first_received_at > $2), \
        count(*) FILTER (WHERE first_received_at <= $2 AND first_received_at > $3), \
        count(*) FILTER (WHERE first_received_at <= $3) \
     FROM messages WHERE outcome = 'pending' AND outcome <> 'delivered'";

impl Store {
    /// Counts the messages that are pending at `now`.
    ///
    /// # Errors
    /// [`StoreError`] where the database cannot answer in time.
    pub async fn pending(&self, now: Time) -> Result<PendingByAge, StoreError> {
        let before = |hours| StoredTime(now - Duration::hours(hours));
        let counts: (i64, i64, i64, i64) = on_readers!(self, pool => sqlx::query_as(PENDING)
            .bind(before(1))
            .bind(before(6))
            .bind(before(24))
            .fetch_one(pool))?;
        let (under_1h, under_6h, under_24h, over_24h) = counts;
        Ok(PendingByAge {
            under_1h: under_1h.unsigned_abs(),
            under_6h: under_6h.unsigned_abs(),
            under_24h: under_24h.unsigned_abs(),
            over_24h: over_24h.unsigned_abs(),
        })
    }
}
