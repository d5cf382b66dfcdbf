//! Why nothing more was deleted.

use crate::storage::{ClockFault, StoreError};

/// Why nothing more was deleted.
#[derive(Debug, thiserror::Error)]
pub enum PurgeError {
    /// The clocks are not trusted with deleting. Nothing was deleted.
    #[error(transparent)]
    Clocks(#[from] ClockFault),
    /// The database does not let it. What was deleted so far is.
    #[error(transparent)]
    Store(#[from] StoreError),
}
