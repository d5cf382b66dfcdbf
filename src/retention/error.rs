//! Why a purge stopped.

use crate::storage::{ClockFault, StoreError};

/// Why a purge stopped.
#[derive(Debug, thiserror::Error)]
pub enum PurgeError {
    /// The clocks cannot be trusted. Nothing was deleted.
    #[error(transparent)]
    Clocks(#[from] ClockFault),
    /// The database failed. What was deleted before stays deleted.
    #[error(transparent)]
    Store(#[from] StoreError),
}
