//! The spool as a whole: the file that takes callbacks, and damaged ones that were set aside.
//!
//! Where SQLite says that the file is damaged, it is renamed with its log, and a fresh one takes its place: what
//! is acknowledged from then on is in a whole file. What was acknowledged before is read out of the set-aside
//! file by the drain, page by page; the file itself is never written nor deleted by us.
//!
//! Another process may have the file open meanwhile, as in a rolling upgrade. It goes on in the renamed file until
//! it sees that, and the drain looks at a set-aside file again where it has changed. SQLite does not remove a log
//! by a name that no longer is that of the file it has opened, so that process does not touch the fresh file's.

mod checking;
mod file_locks;
mod looking;
mod moving;
mod opening;
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
use super::{Erasure, SpoolError, SpoolFile, SpoolStatus, SpooledRequest};

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

    /// Sets `damaged` aside, unless that was done already, and goes on with a fresh file.
    ///
    /// # Errors
    /// [`SpoolError::Stuck`]: nothing is taken until there is a fresh file. It may be tried again.
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
        // What is being appended to it is on disk by then, and is read with the rest.
        damaged.close().await;
        self.list(damaged, damage);
        Ok(())
    }

    /// The file to append to: another process may have set ours aside.
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
        // One that was not looked at yet holds something.
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

    /// The right to drain, which one process has at a time; it ends when the file is dropped.
    /// None where another process has it.
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

/// Nothing is left half done under these locks.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
