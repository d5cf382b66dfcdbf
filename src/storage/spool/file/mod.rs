//! The file that keeps callbacks while the store fails: a small SQLite database. Callbacks are appended at its end, and read and
//! deleted from its front.

mod failure;
mod look;
mod probe;
mod removal;
mod request;
mod status;

use std::{
    fs::File,
    num::NonZeroU64,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    time::Duration,
};

use sqlx::{
    ConnectOptions, QueryBuilder, Sqlite,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous},
};

pub(in crate::storage) use self::look::try_lock;
use self::{
    failure::{failed, in_order, unprepared},
    probe::{PROBE, probe},
    removal::{ADD_QUARANTINED, FORGET, LAST_QUARANTINED, QUARANTINE, QUARANTINED, REMOVE},
    request::columns,
    status::STATUS,
};
pub use self::{
    request::{QuarantinedRequest, SpooledRequest, Undrainable},
    status::SpoolStatus,
};
use crate::storage::{
    SpoolError,
    damage::Integrity,
    migration::tolerant,
    sqlite::{give_back, make_folder},
    time::StoredTime,
};

/// A spool's file. Cheap to clone; all clones share one connection.
#[derive(Clone, Debug)]
pub struct SpoolFile {
    pool: SqlitePool,
    path: PathBuf,
    /// The most pages that it may have.
    cap: u64,
    /// Its inode: identifies the file even after it was renamed.
    identity: u64,
}

const COLUMNS: &str = columns!();
const OLDEST: &str = concat!("SELECT id, ", columns!(), " FROM spooled WHERE id > $1 ORDER BY id LIMIT $2");
const COUNT: &str = "SELECT count(*) FROM spooled";

/// Every statement above.
pub(in crate::storage) const STATEMENTS: [&str; 10] = [
    OLDEST,
    REMOVE,
    QUARANTINE,
    ADD_QUARANTINED,
    QUARANTINED,
    LAST_QUARANTINED,
    FORGET,
    COUNT,
    PROBE,
    STATUS,
];

impl SpoolFile {
    /// The size of a SQLite page in bytes; the cap counts pages.
    const PAGE: u64 = 4096;
    /// How long a start looks for damage. Damage that is not found by then is found when the file is drained.
    const LOOK: Duration = Duration::from_secs(2);

    /// Opens the file at `path`, creates it and its folder where they are missing, looks for damage, and checks that it can be
    /// written. It never grows beyond `max_bytes`.
    ///
    /// # Errors
    /// [`SpoolError::Unwritable`] says what to set, [`SpoolError::Damaged`] what is wrong with the file.
    pub async fn open(path: &Path, max_bytes: NonZeroU64) -> Result<Self, SpoolError> {
        let unwritable = |why: String| SpoolError::Unwritable { path: path.display().to_string(), why };
        make_folder(path).map_err(|(folder, error)| unwritable(format!("cannot make {folder}: {error}")))?;
        let cap = max_bytes.get().div_ceil(Self::PAGE);
        // FULL: in WAL mode a commit is on disk only then.
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .page_size(4096)
            .pragma("max_page_count", cap.to_string())
            .disable_statement_logging();
        let pool = SqlitePoolOptions::new().max_connections(1).test_before_acquire(false);
        let told = |error| match failed(error) {
            SpoolError::Failed(error) => unwritable(error.to_string()),
            error => error,
        };
        let pool = pool.connect_with(options).await.map_err(told)?;
        let identity = std::fs::metadata(path).map_err(|error| unwritable(error.to_string()))?.ino();
        let spool = Self { pool, path: path.to_owned(), cap, identity };
        let opened = spool.look_and_prepare().await;
        if opened.is_err() {
            spool.close().await;
        }
        match opened {
            Ok(()) => Ok(spool),
            Err(SpoolError::Failed(error)) => Err(unwritable(error.to_string())),
            Err(error) => Err(error),
        }
    }

    async fn look_and_prepare(&self) -> Result<(), SpoolError> {
        match self.look(Some(Self::LOOK)).await? {
            Integrity::Damaged(what) => return Err(SpoolError::Damaged(what)),
            Integrity::InPart => {
                tracing::info!("the spool is large: not all of it was looked at for damage yet");
            }
            Integrity::Whole => {}
        }
        match self.prepare().await {
            // A full file can still be drained.
            Err(SpoolError::Full) if self.count().await.is_ok() => Ok(()),
            prepared => prepared,
        }
    }

    async fn prepare(&self) -> Result<(), SpoolError> {
        let mut migrations = sqlx::migrate!("migrations/spool");
        tolerant(&mut migrations).run(&self.pool).await.map_err(unprepared)?;
        let mut connection = self.pool.acquire().await.map_err(failed)?;
        let probed = probe(&mut connection).await;
        give_back(connection, probed).map_err(failed)
    }

    /// Appends callbacks. Once it returns `Ok`, they are on disk.
    ///
    /// # Errors
    /// [`SpoolError`]: none of them is kept.
    pub async fn append(&self, requests: &[SpooledRequest]) -> Result<(), SpoolError> {
        let mut insert = QueryBuilder::<Sqlite>::new(format!("INSERT INTO spooled ({COLUMNS}) "));
        insert.push_values(requests, |mut row, request| {
            row.push_bind(StoredTime(request.received_at))
                .push_bind(&request.account)
                .push_bind(&request.method)
                .push_bind(&request.content_type)
                .push_bind(&request.content_encoding)
                .push_bind(&request.query)
                .push_bind(&request.body)
                .push_bind(&request.signed_for)
                .push_bind(&request.source);
        });
        // Not prepared: its text depends on the number of rows.
        insert.build().persistent(false).execute(&self.pool).await.map(|_| ()).map_err(failed)
    }

    /// The oldest callbacks whose id is greater than `after`, in the order in which they came.
    ///
    /// # Errors
    /// [`SpoolError`] where the file cannot be read, or callbacks are missing in it.
    pub async fn oldest(&self, limit: usize, after: i64) -> Result<Vec<SpooledRequest>, SpoolError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let oldest = sqlx::query_as(OLDEST).bind(after).bind(limit).fetch_all(&self.pool).await;
        in_order(oldest.map_err(failed)?, after)
    }

    /// How many callbacks wait.
    ///
    /// # Errors
    /// [`SpoolError`] where the file cannot be read.
    pub async fn count(&self) -> Result<u64, SpoolError> {
        let count: i64 = sqlx::query_scalar(COUNT).fetch_one(&self.pool).await.map_err(failed)?;
        Ok(count.unsigned_abs())
    }

    /// Its inode: identifies the file even after it was renamed.
    #[must_use]
    pub fn identity(&self) -> u64 {
        self.identity
    }

    /// The lock of the process that drains, released when the file is dropped. None while another process holds it.
    ///
    /// # Errors
    /// What the system says.
    pub fn lock_for_draining(&self) -> std::io::Result<Option<File>> {
        try_lock(&self.path, ".drain")
    }

    /// Waits for what is under way and closes the file.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}
