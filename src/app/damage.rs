//! Starting on files that may be damaged.

use std::time::Duration;

use anyhow::ensure;

use crate::{
    config::Config,
    storage::{Spool, Store},
};

/// How long a start looks for damage in the store's SQLite file.
const LOOK: Duration = Duration::from_secs(2);

/// Opens the spool, where there is one. A file that is damaged is set aside.
pub(super) async fn open_spool(config: &Config) -> anyhow::Result<Option<Spool>> {
    let Some(path) = config.spool.file() else { return Ok(None) };
    Ok(Some(Spool::open(path, config.spool.max_bytes).await?))
}

/// Looks for damage in the store beside the start, which does not wait for it: callbacks are taken meanwhile.
pub(super) fn look_at_store(store: &Store) {
    let store = store.clone();
    tokio::spawn(async move { store.look(LOOK).await });
}

/// Whether there is a SQLite file to look at: opening one that is missing would make it.
///
/// # Errors
/// Names the file that is missing.
pub fn check_exists(config: &Config) -> anyhow::Result<()> {
    let Some(file) = config.database.sqlite_file() else { return Ok(()) };
    ensure!(file.exists(), "there is no file {}; look at database.url (DATABASE_URL)", file.display());
    Ok(())
}
