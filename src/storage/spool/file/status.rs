//! How full a spool is, asked so that it costs nothing however full it is.

use super::{SpoolFile, failure::failed};
use crate::{
    domain::Time,
    storage::{SpoolError, time::StoredTime},
};

/// How full a spool is.
#[derive(Clone, Copy, Debug)]
pub struct SpoolStatus {
    /// How many callbacks wait.
    pub waiting: u64,
    /// When the one came that has waited longest.
    pub oldest: Option<Time>,
    /// What is in use of the room on disk.
    pub bytes: u64,
    /// How much room there may be.
    pub max_bytes: u64,
    /// How many callbacks were set aside, since they can never be drained.
    pub set_aside: u64,
}

/// Callbacks are numbered without gaps: they are appended, and taken away from the front.
pub(super) const STATUS: &str = "SELECT \
        COALESCE((SELECT max(id) FROM spooled) - (SELECT min(id) FROM spooled) + 1, 0), \
        (SELECT received_at FROM spooled ORDER BY id LIMIT 1), \
        (SELECT page_count FROM pragma_page_count) - (SELECT freelist_count FROM pragma_freelist_count), \
        COALESCE((SELECT max(id) FROM quarantined), 0)";

impl SpoolFile {
    /// How full it is.
    ///
    /// # Errors
    /// [`SpoolError`] where the file cannot be read.
    pub async fn status(&self) -> Result<SpoolStatus, SpoolError> {
        let status = sqlx::query_as(STATUS).fetch_one(&self.pool).await;
        let (waiting, oldest, pages, set_aside): (i64, Option<StoredTime>, i64, i64) =
            status.map_err(failed)?;
        Ok(SpoolStatus {
            waiting: waiting.unsigned_abs(),
            oldest: oldest.map(|time| time.0),
            bytes: pages.unsigned_abs() * Self::PAGE,
            max_bytes: self.cap * Self::PAGE,
            set_aside: set_aside.unsigned_abs(),
        })
    }
}
