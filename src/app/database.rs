//! Opens, checks and migrates the database at the start, or defers that until it can be reached.

use std::time::Duration;

use anyhow::Context;

use crate::{
    config::Config,
    ingest::{Prepare, Unprepared},
    storage::{Store, StoreError, Trouble},
};

/// Opens the store that the configuration names.
///
/// # Errors
/// Names the key to check.
pub fn open(config: &Config) -> anyhow::Result<Store> {
    Store::open(&config.database).context(HINT)
}

const HINT: &str = "cannot open the database; look at database.url (DATABASE_URL)";

/// Checks and migrates the database, as `dlr-receiver migrate` does.
///
/// # Errors
/// Says what is wrong, and what to do about it.
pub async fn migrate(store: &Store) -> anyhow::Result<()> {
    Prepare { migrate: true }.run_in_turn(store).await.map_err(|error| refusal(store, error))
}

/// How long a start with a spool waits for the database before it defers its preparation.
const START: Duration = Duration::from_secs(3);

/// Prepares the database. With a spool, a database that is not ready is prepared later, and callbacks are spooled until
/// then.
pub(super) async fn prepare(
    config: &Config,
    store: &Store,
    has_spool: bool,
) -> anyhow::Result<Option<Unprepared>> {
    let prepare = Prepare { migrate: config.database.migrate };
    tracing::debug!("preparing the database; replicas take turns");
    if has_spool {
        return prepare.begin(store, START).await.map_err(|error| refusal(store, error));
    }
    match prepare.run_in_turn(store).await {
        Ok(()) => Ok(None),
        // A service on a standby can still answer questions, which may be its purpose.
        Err(error) if !prepare.migrate && only_writing_fails(error.trouble()) => {
            Ok(Some(prepare.later(store, error)))
        }
        Err(error) => Err(refusal(store, error)),
    }
}

/// Whether the database accepts our connection and answers, and only writing fails.
fn only_writing_fails(trouble: Trouble) -> bool {
    matches!(trouble, Trouble::ReadOnly | Trouble::Rights | Trouble::Schema | Trouble::Full)
}

/// The error, its meaning, and what to do about it.
fn refusal(store: &Store, error: StoreError) -> anyhow::Error {
    let (kind, trouble) = (store.kind(), error.trouble());
    if error.ends_a_start() {
        // The error's own text is complete.
        return anyhow::Error::new(error).context(HINT);
    }
    let meaning = format!("the {kind} database {}; {}", trouble.text(), trouble.advice());
    anyhow::Error::new(error).context(meaning).context(HINT)
}
