//! `[ingest]`, `[spool]` and `[rejected]`.

use std::{
    num::{NonZeroU64, NonZeroUsize},
    path::PathBuf,
    time::Duration,
};

use serde::{Deserialize, Serialize};

use crate::storage::Keep;

/// `[ingest]`: how callbacks are gathered and committed.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct IngestConfig {
    /// The most callbacks of one commit.
    pub batch: NonZeroUsize,
    /// The most callbacks that wait for a commit.
    pub queue: NonZeroUsize,
    /// How long one commit may take before its callbacks are spooled, in milliseconds.
    pub commit_timeout_ms: NonZeroU64,
}

/// Why `[ingest]` cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BadIngest {
    /// The batch is larger than is useful.
    #[error("ingest.batch must be {} at most", IngestConfig::LARGEST_BATCH)]
    Batch,
    /// The queue may not fit into memory.
    #[error("ingest.queue must be {} at most", IngestConfig::LONGEST_QUEUE)]
    Queue,
    /// Exotel closes the connection before.
    #[error("ingest.commit_timeout_ms must be 60000 at most, which is one minute")]
    Timeout,
}

impl IngestConfig {
    /// Larger batches only take longer.
    const LARGEST_BATCH: usize = 4096;
    /// What is queued is held in memory.
    const LONGEST_QUEUE: usize = 1 << 20;
    /// Exotel's documentation names timeouts of 5 to 15 seconds; beyond a minute surely nobody waits.
    const LONGEST_COMMIT: Duration = Duration::from_mins(1);

    /// Checks what the types allow.
    ///
    /// # Errors
    /// [`BadIngest`] says what to set.
    pub fn check(&self) -> Result<(), BadIngest> {
        match self {
            _ if self.batch.get() > Self::LARGEST_BATCH => Err(BadIngest::Batch),
            _ if self.queue.get() > Self::LONGEST_QUEUE => Err(BadIngest::Queue),
            _ if self.commit_timeout() > Self::LONGEST_COMMIT => Err(BadIngest::Timeout),
            _ => Ok(()),
        }
    }

    pub(super) fn commit_timeout(&self) -> Duration {
        Duration::from_millis(self.commit_timeout_ms.get())
    }
}

/// `[spool]`: where callbacks are kept while the store cannot take them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SpoolConfig {
    /// The file; empty: no spool.
    pub path: PathBuf,
    /// The most bytes that it takes on disk.
    pub max_bytes: NonZeroU64,
}

impl SpoolConfig {
    /// The file, where there is to be a spool.
    #[must_use]
    pub fn file(&self) -> Option<&PathBuf> {
        Some(&self.path).filter(|path| !path.as_os_str().is_empty())
    }
}

/// `[rejected]`: how much of the log of refused bodies is kept.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct RejectedConfig {
    /// The most bodies.
    pub max_count: u32,
    /// The greatest age of a body, in days.
    pub max_age_days: u32,
}

impl RejectedConfig {
    /// As the store takes it.
    #[must_use]
    pub fn keep(&self) -> Keep {
        const DAY: u64 = 24 * 60 * 60;
        Keep { count: self.max_count, age: Duration::from_secs(u64::from(self.max_age_days) * DAY) }
    }
}
