//! Checks files for damage at the start.

use std::time::Duration;

use anyhow::ensure;

use crate::{
    config::Config,
    storage::{Spool, Store},
};

/// How long the check of the store's SQLite file may take.
const LOOK: Duration = Duration::from_secs(2);

/// Opens the spool where one is configured. A damaged file is set aside and a new one begun.
pub(super) async fn open_spool(config: &Config) -> anyhow::Result<Option<Spool>> {
    let Some(path) = config.spool.file() else { return Ok(None) };
    Ok(Some(Spool::open(path, config.spool.max_bytes).await?))
}

/// Checks the store for damage in the background, so that callbacks are accepted meanwhile.
pub(super) fn look_at_store(store: &Store) {
    let store = store.clone();
    tokio::spawn(async move { store.look(LOOK).await });
}

/// Checks that the SQLite file exists, for subcommands that must not create it by opening it.
///
/// # Errors
/// Names the file that is missing.
pub fn check_exists(config: &Config) -> anyhow::Result<()> {
    let Some(file) = config.database.sqlite_file() else { return Ok(()) };
    ensure!(file.exists(), "there is no file {}; look at database.url (DATABASE_URL)", file.display());
    Ok(())
}
