//! Set-aside files: what is in them, and whether they have changed.

use std::io;

use super::{SetAside, Spool, file_locks::identity, lock, set_aside};
use crate::storage::{
    SpoolFile, SpooledRequest,
    spool::salvage::{Findings, Salvage},
};

impl Spool {
    /// The files that were set aside, the oldest first.
    #[must_use]
    pub fn set_aside(&self) -> Vec<SetAside> {
        lock(&self.0.set_aside).clone()
    }

    /// Reads the folder again: another process may have set files aside or written to one, and an operator may have removed one.
    ///
    /// # Errors
    /// What the system says.
    pub async fn look_again(&self) -> io::Result<()> {
        let spool = self.clone();
        // A file that is being replaced is still open in this process. Opening it a second time, past SQLite, would release
        // SQLite's POSIX locks on it when it is closed.
        let _replacing = self.0.replacing.lock().await;
        in_background(move || {
            let found = set_aside::find(&spool.0.path)?;
            let mut known = lock(&spool.0.set_aside);
            known.retain(|known| found.iter().any(|found| found.path == known.path));
            for found in found {
                match known.iter_mut().find(|known| known.path == found.path) {
                    Some(known) if known.is_drained && known.has_changed() => known.is_drained = false,
                    // Another process has done so.
                    Some(known) if found.is_drained => *known = found,
                    Some(_) => {}
                    None => known.push(found),
                }
            }
            Ok(())
        })
        .await
    }

    /// Scans every page of a set-aside file, which may take long. Returns what can be read.
    ///
    /// # Errors
    /// What the system says.
    pub async fn salvage(&self, mut file: SetAside) -> io::Result<Salvage> {
        let spool = self.clone();
        in_background(move || {
            let salvage = file.salvage()?;
            spool.update(file);
            Ok(salvage)
        })
        .await
    }

    /// The next callbacks of a set-aside file.
    ///
    /// # Errors
    /// What the system says.
    pub async fn next_of(
        &self,
        mut salvage: Salvage,
        limit: usize,
    ) -> io::Result<(Salvage, Vec<SpooledRequest>)> {
        in_background(move || {
            let batch = salvage.batch(limit);
            Ok((salvage, batch))
        })
        .await
    }

    /// Marks a set-aside file as drained, so that it is not drained again unless it changes.
    ///
    /// # Errors
    /// What the system says: it is drained again at the next start.
    pub async fn mark_drained(&self, name: &str, findings: Findings) -> io::Result<()> {
        let Some(mut file) = self.set_aside().into_iter().find(|file| file.name() == name) else {
            return Ok(());
        };
        let spool = self.clone();
        in_background(move || {
            let marked = file.mark_drained(findings);
            spool.update(file);
            marked
        })
        .await
    }

    /// Lists a file that was set aside just now, by this process or by another one.
    pub(super) fn list(&self, file: &SpoolFile, damage: &str) {
        let found = set_aside::find(&self.0.path).unwrap_or_default();
        let mut found = found.into_iter();
        if let Some(moved) = found.find(|moved| identity(&moved.path) == Some(file.identity())) {
            lock(&self.0.set_aside).push(SetAside::new(moved.path, damage.to_owned()));
        }
    }

    fn update(&self, file: SetAside) {
        if let Some(known) = lock(&self.0.set_aside).iter_mut().find(|known| known.path == file.path) {
            *known = file;
        }
    }
}

async fn in_background<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}
