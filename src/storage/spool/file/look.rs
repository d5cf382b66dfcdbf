//! Checks a spool's file for damage; lock files beside it.

use std::{
    fs::{File, TryLockError},
    path::Path,
    time::Duration,
};

use sqlx::{
    ConnectOptions,
    sqlite::{SqliteConnectOptions, SqlitePoolOptions},
};

use super::{SpoolFile, failure::failed};
use crate::storage::{
    SpoolError,
    damage::{Integrity, look},
    spool::salvage::beside,
};

impl SpoolFile {
    /// Opens the file at `path` for reading only.
    pub(in crate::storage) async fn open_to_read(path: &Path) -> Result<Self, SpoolError> {
        let options = SqliteConnectOptions::new().filename(path).read_only(true).disable_statement_logging();
        let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await.map_err(failed)?;
        Ok(Self { pool, path: path.to_owned(), cap: 0, identity: 0 })
    }

    /// Looks for damaged pages, for at most `budget`.
    pub(in crate::storage) async fn look(&self, budget: Option<Duration>) -> Result<Integrity, SpoolError> {
        let mut connection = self.pool.acquire().await.map_err(failed)?;
        look(&mut connection, "quick_check(1)", budget).await.map_err(failed)
    }
}

/// Locks a file beside the one at `path`. None while another process holds the lock, which is released when the file is dropped.
///
/// # Errors
/// What the system says.
pub(in crate::storage) fn try_lock(path: &Path, suffix: &str) -> std::io::Result<Option<File>> {
    let lock = File::create(beside(path, suffix))?;
    match lock.try_lock() {
        Ok(()) => Ok(Some(lock)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}
