//! Lock files beside the spool's file, and the identity of the file that has its name.

use std::{fs::File, io, os::unix::fs::MetadataExt, path::Path, time::Duration};

use crate::storage::spool::file::try_lock;

/// The inode of the file that has this name now.
pub(super) fn identity(path: &Path) -> Option<u64> {
    Some(std::fs::metadata(path).ok()?.ino())
}

/// The lock that a process holds while it opens or renames the file. Otherwise one could open the database without its log,
/// which another one has renamed already.
pub(super) async fn lock_for_moving(path: &Path) -> io::Result<File> {
    const TRIES: u32 = 100;
    for _ in 0..TRIES {
        if let Some(lock) = try_lock(path, ".opening")? {
            return Ok(lock);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Err(io::Error::new(io::ErrorKind::TimedOut, "another process has been opening it for five seconds"))
}
