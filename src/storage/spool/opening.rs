//! Opens a spool, whatever state its file is in.

use std::{
    io::ErrorKind,
    num::NonZeroU64,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use super::{
    SetAside, Spool, SpoolState,
    file_locks::lock_for_moving,
    moving::{self, finish_moving},
    set_aside::find,
};
use crate::storage::{SpoolError, SpoolFile, spool::salvage, sqlite::make_folder};

impl Spool {
    /// Opens the spool at `path`. A file that is damaged is set aside, and a fresh one takes its place.
    ///
    /// # Errors
    /// [`SpoolError::Unwritable`] says what to set, [`SpoolError::Stuck`] what to do with a damaged file.
    pub async fn open(path: &Path, max_bytes: NonZeroU64) -> Result<Self, SpoolError> {
        let unwritable = |why: String| SpoolError::Unwritable { path: path.display().to_string(), why };
        make_folder(path).map_err(|(folder, error)| unwritable(format!("cannot make {folder}: {error}")))?;
        let lock = match lock_for_moving(path).await {
            Err(error) if error.kind() == ErrorKind::TimedOut => return Err(unwritable(error.to_string())),
            // SQLite reports a folder that cannot be written.
            lock => lock.ok(),
        };
        finish_moving(path).map_err(|why| stuck(path, "setting it aside was cut off", &why.to_string()))?;
        let opened = match found_damaged(path).await {
            Some(damage) => Err(SpoolError::Damaged(damage)),
            None => SpoolFile::open(path, max_bytes).await,
        };
        let (current, moved) = match opened {
            Err(SpoolError::Damaged(damage)) => {
                let moved = moving::set_aside(path).map_err(|why| stuck(path, &damage, &why.to_string()))?;
                let fresh = SpoolFile::open(path, max_bytes).await;
                let fresh = fresh.map_err(|why| stuck(path, &damage, &why.to_string()))?;
                (fresh, Some(SetAside::new(moved, damage)))
            }
            opened => (opened?, None),
        };
        drop(lock);
        let mut set_aside = find(path).map_err(|error| unwritable(error.to_string()))?;
        if let Some(moved) = moved {
            set_aside.retain(|known| known.path != moved.path);
            set_aside.push(moved);
        }
        Ok(Self(Arc::new(SpoolState {
            path: path.to_owned(),
            max_bytes,
            current: Mutex::new(current),
            set_aside: Mutex::new(set_aside),
            replacing: tokio::sync::Mutex::default(),
        })))
    }
}

/// Damage that SQLite does not notice when it opens a file, so it is looked for before. Errors of reading are left to SQLite.
///
/// Another process may be writing to the file, as in a rolling upgrade, so only damage that is seen repeatedly counts.
pub(super) async fn found_damaged(path: &Path) -> Option<String> {
    const LOOKS: usize = 5;
    let mut found = None;
    for _ in 0..LOOKS {
        found = if path.is_file() { salvage::complaint(path).ok().flatten() } else { None };
        found.as_ref()?;
        tokio::time::sleep(Duration::from_millis(40)).await;
    }
    found
}

pub(super) fn stuck(path: &Path, damage: &str, why: &str) -> SpoolError {
    SpoolError::Stuck { path: path.display().to_string(), damage: damage.to_owned(), why: why.to_owned() }
}
