//! Why the store could not do what it was asked.

use std::time::Duration;

use crate::domain::NotAStatusCallback;

/// Why a configured database cannot be used. The URL is not repeated, it may hold a password.
#[derive(Debug, thiserror::Error)]
pub enum BadDatabase {
    /// Another scheme.
    #[error("database.url must begin with postgres:// or sqlite://; set DATABASE_URL or database.url")]
    Scheme,
    /// Longer than anybody waits.
    #[error("database.timeout_ms must be 600000 at most, which is ten minutes")]
    Timeout,
    /// A database that is gone with the process.
    #[error("database.url names no file, so SQLite would keep nothing; name one, as in sqlite://data/dlr.db")]
    InMemory,
    /// Migrations lock a session, and a pooler lends none.
    #[error(
        "database.pooler = \"transaction\": migrations need sessions of their own; set database.migrate = false, and \
         run `dlr-receiver migrate` with a database.url that names Postgres itself, and without database.pooler"
    )]
    PooledMigration,
    /// A URL that the driver does not understand.
    #[error("database.url is not understood: {0}")]
    Unreadable(#[source] sqlx::Error),
}

/// Why the store could not do what it was asked. Display texts are for logs, never for callers.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The URL names no store.
    #[error(transparent)]
    Url(#[from] BadDatabase),
    /// The folder of the SQLite file cannot be made.
    #[error("cannot make the folder {path} for the database: {source}")]
    Folder {
        /// The folder.
        path: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// A database that cannot hold every text.
    #[error("the database's encoding is {0}, and only UTF8 holds every text; make one with ENCODING 'UTF8'")]
    Encoding(String),
    /// The SQLite file is not as it was written.
    #[error(
        "the SQLite file {path} is damaged: {damage}; stop the service, and restore it from a backup or recover it \
         with `sqlite3 {path} .recover`: see \"A damaged file\" in docs/operations.md"
    )]
    Damaged {
        /// The file.
        path: String,
        /// What is wrong with it.
        damage: String,
    },
    /// The database refused, or could not be reached.
    #[error("{0}")]
    Database(#[from] sqlx::Error),
    /// It took too long; whether it happened is not known.
    #[error("no answer from the database within {0:?}")]
    TimedOut(Duration),
    /// The schema could not be brought up to date.
    #[error("cannot migrate the database: {0}")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// A row holds a word that this version does not know: a newer version wrote it.
    #[error("column {column} holds a word of another version: {word:?}")]
    Word {
        /// The column.
        column: &'static str,
        /// The word.
        word: String,
    },
    /// A receipt that no callback can have been: somebody else changed it.
    #[error("receipt {id} is no callback: {reason}")]
    Receipt {
        /// The receipt.
        id: i64,
        /// What is wrong with it.
        reason: NotAStatusCallback,
    },
    /// Labels or fields that are not the JSON that was written.
    #[error("a stored value is not the JSON that it should be: {0}")]
    Json(#[from] serde_json::Error),
}

/// Why the spool could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// The file cannot be made or written.
    #[error(
        "spool.path: cannot write to {path}: {why}; name a file in a writable folder (DLR__SPOOL__PATH), or \
         leave it empty to do without a spool"
    )]
    Unwritable {
        /// The file.
        path: String,
        /// What is wrong.
        why: String,
    },
    /// The file is not as it was written; it can be set aside.
    #[error("the spool's file is damaged: {0}")]
    Damaged(String),
    /// A damaged file cannot be set aside, or none made in its place.
    #[error(
        "spool.path: {path} is damaged ({damage}), and cannot be set aside: {why}. It holds callbacks that were \
         acknowledged with 200 and are nowhere else, so do not delete it. Make its folder writable or make room on \
         its disk, or move it and the files beside it that begin with its name elsewhere; then start again. See \
         \"A damaged file\" in docs/operations.md"
    )]
    Stuck {
        /// The file.
        path: String,
        /// What is wrong with it.
        damage: String,
        /// Why it stays where it is.
        why: String,
    },
    /// The cap is reached, or the disk is full.
    #[error("the spool is full")]
    Full,
    /// It took too long; whether the batch is kept is not known.
    #[error("no answer from the spool within {0:?}")]
    TimedOut(Duration),
    /// Anything else. Nothing of the batch is kept.
    #[error("the spool fails: {0}")]
    Failed(sqlx::Error),
}
