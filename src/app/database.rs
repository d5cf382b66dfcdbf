//! The database at the start: opened, checked and brought up to date, or left for later.

use std::time::Duration;

use anyhow::Context;

use crate::{
    config::Config,
    ingest::{Prepare, Unprepared},
    storage::{Store, StoreError, Trouble},
};

/// The store that the configuration names.
///
/// # Errors
/// Says which key to look at.
pub fn open(config: &Config) -> anyhow::Result<Store> {
    Store::open(&config.database).context(HINT)
}

const HINT: &str = "cannot open the database; look at database.url (DATABASE_URL)";

/// Checks the database and brings its schema up to date; what `dlr-receiver migrate` does.
///
/// # Errors
/// Says what is wrong, and what to do about it.
pub async fn migrate(store: &Store) -> anyhow::Result<()> {
    Prepare { migrate: true }.run_in_turn(store).await.map_err(|error| refusal(store, error))
}

/// How long a start with a spool waits for the database before it goes on without.
const START: Duration = Duration::from_secs(3);

/// Prepares the database. With a spool, one that is not ready is prepared later, and the spool takes the
/// callbacks meanwhile.
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
        // It can still answer questions, which may be all that is asked of a service on a standby.
        Err(error) if !prepare.migrate && only_writing_fails(error.trouble()) => {
            Ok(Some(prepare.later(store, error)))
        }
        Err(error) => Err(refusal(store, error)),
    }
}

/// Whether the database has let us in, and answers.
fn only_writing_fails(trouble: Trouble) -> bool {
    matches!(trouble, Trouble::ReadOnly | Trouble::Rights | Trouble::Schema | Trouble::Full)
}

/// The error, what it means, and what to do about it.
fn refusal(store: &Store, error: StoreError) -> anyhow::Error {
    let (kind, trouble) = (store.kind(), error.trouble());
    if error.ends_a_start() {
        // Its own text says it all.
        return anyhow::Error::new(error).context(HINT);
    }
    let meaning = format!("the {kind} database {}; {}", trouble.text(), trouble.advice());
    anyhow::Error::new(error).context(meaning).context(HINT)
}
