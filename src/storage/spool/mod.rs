//! The spool: the file that takes callbacks, and damaged files that were set aside.
//!
//! When SQLite reports that the file is damaged, file and log are renamed and a fresh file takes their place, so everything that
//! is acknowledged from then on is in an undamaged file. The drain reads what was acknowledged before out of the set-aside file,
//! page by page. We never write to a set-aside file, and never delete it.
//!
//! Another process may have the file open meanwhile, as in a rolling upgrade. It goes on writing to the renamed file until it
//! notices; the drain reads a set-aside file again when it has changed. SQLite does not delete a log whose name no longer
//! belongs to the file that it has opened, so that process does not touch the fresh file's log.

mod checking;
pub(super) mod file;
mod file_locks;
mod looking;
mod moving;
mod opening;
pub(super) mod salvage;
mod set_aside;

use std::{
    fs::File,
    num::NonZeroU64,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

pub use self::{
    checking::{SpoolCheck, check_spool},
    set_aside::SetAside,
};
use self::{
    file_locks::{identity, lock_for_moving},
    opening::stuck,
};
use crate::storage::{Erasure, SpoolError, SpoolFile, SpoolStatus, SpooledRequest};

/// The file that takes callbacks, and those that were set aside. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Spool(Arc<SpoolState>);

#[derive(Debug)]
struct SpoolState {
    path: PathBuf,
    max_bytes: NonZeroU64,
    current: Mutex<SpoolFile>,
    set_aside: Mutex<Vec<SetAside>>,
    /// Held while the file is replaced.
    replacing: tokio::sync::Mutex<()>,
}

impl Spool {
    /// The file that takes callbacks now.
    #[must_use]
    pub fn current(&self) -> SpoolFile {
        lock(&self.0.current).clone()
    }

    /// Appends callbacks. Once it returns `Ok`, they are on disk.
    ///
    /// # Errors
    /// [`SpoolError`]: none of them is known to be kept.
    pub async fn append(&self, requests: &[SpooledRequest]) -> Result<(), SpoolError> {
        let file = self.in_place().await?;
        match file.append(requests).await {
            Err(SpoolError::Damaged(damage)) => {
                self.replace(&file, &damage).await?;
                self.current().append(requests).await
            }
            appended => appended,
        }
    }

    /// Sets `damaged` aside, unless that was done already, and continues with a fresh file.
    ///
    /// # Errors
    /// [`SpoolError::Stuck`]: nothing can be spooled until there is a fresh file. It may be tried again.
    pub async fn replace(&self, damaged: &SpoolFile, damage: &str) -> Result<(), SpoolError> {
        let shared = &self.0;
        let _replacing = shared.replacing.lock().await;
        if self.current().identity() != damaged.identity() {
            return Ok(());
        }
        let stuck = |why: String| stuck(&shared.path, damage, &why);
        let lock_file = lock_for_moving(&shared.path).await.map_err(|error| stuck(error.to_string()))?;
        if identity(&shared.path) == Some(damaged.identity()) {
            moving::set_aside(&shared.path).map_err(|error| stuck(error.to_string()))?;
        }
        let fresh = SpoolFile::open(&shared.path, shared.max_bytes).await;
        let fresh = fresh.map_err(|error| stuck(error.to_string()))?;
        drop(lock_file);
        *lock(&shared.current) = fresh;
        // Waits for appends under way: they are on disk by then, and are salvaged with the rest.
        damaged.close().await;
        self.list(damaged, damage);
        Ok(())
    }

    /// The file to append to. Another process may have set ours aside; then the new one is opened.
    async fn in_place(&self) -> Result<SpoolFile, SpoolError> {
        let file = self.current();
        if identity(&self.0.path) == Some(file.identity()) {
            return Ok(file);
        }
        let found = set_aside::find(&self.0.path).unwrap_or_default();
        if found.iter().any(|moved| identity(&moved.path) == Some(file.identity())) {
            self.replace(&file, "another process has found it damaged").await?;
        }
        Ok(self.current())
    }

    /// How many callbacks wait, those in set-aside files included.
    ///
    /// # Errors
    /// [`SpoolError`] where the file cannot be read.
    pub async fn count(&self) -> Result<u64, SpoolError> {
        let file = self.current();
        let status = match file.status().await {
            Err(SpoolError::Damaged(damage)) => {
                self.replace(&file, &damage).await?;
                self.current().status().await?
            }
            status => status?,
        };
        let waiting = self.set_aside().into_iter().filter(|moved| !moved.is_drained);
        // A file that was not scanned yet may hold some.
        Ok(status.waiting
            + waiting.map(|moved| moved.findings.map_or(1, |findings| findings.readable)).sum::<u64>())
    }

    /// How full the file is that takes callbacks.
    ///
    /// # Errors
    /// [`SpoolError`] where it cannot be read.
    pub async fn status(&self) -> Result<SpoolStatus, SpoolError> {
        self.current().status().await
    }

    /// The place of the last callback that was quarantined.
    ///
    /// # Errors
    /// [`SpoolError`] where the file cannot be read.
    pub async fn last_quarantined(&self) -> Result<i64, SpoolError> {
        let file = self.current();
        match file.last_quarantined().await {
            Err(SpoolError::Damaged(damage)) => {
                self.replace(&file, &damage).await?;
                self.current().last_quarantined().await
            }
            last => last,
        }
    }

    /// Deletes, of some that were quarantined after a place, those that name a recipient. Returns how many, and where to
    /// go on; none at the end.
    ///
    /// # Errors
    /// [`SpoolError`] where the file cannot be read or written.
    pub async fn erase_quarantined(
        &self,
        erasure: &Erasure,
        after: i64,
    ) -> Result<(u64, Option<i64>), SpoolError> {
        let file = self.current();
        match file.erase_quarantined(erasure, after).await {
            Err(SpoolError::Damaged(damage)) => {
                self.replace(&file, &damage).await?;
                self.current().erase_quarantined(erasure, after).await
            }
            erased => erased,
        }
    }

    /// The lock of the process that drains, released when the file is dropped. None while another process holds it.
    ///
    /// # Errors
    /// What the system says.
    pub fn lock_for_draining(&self) -> std::io::Result<Option<File>> {
        self.current().lock_for_draining()
    }

    /// Waits for what is under way and closes the file.
    pub async fn close(&self) {
        self.current().close().await;
    }
}

/// A panic under these locks leaves no value half changed, so poisoning is ignored.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
