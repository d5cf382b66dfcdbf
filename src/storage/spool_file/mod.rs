//! The file that keeps callbacks while the store cannot: a small SQLite database of its own, which is
//! appended to, read from the front, and emptied.

mod removal;
mod status;

use std::{
    fs::{File, TryLockError},
    num::NonZeroU64,
    path::{Path, PathBuf},
};

use sqlx::{
    ConnectOptions, FromRow, QueryBuilder, Sqlite, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous},
};

pub use self::status::SpoolStatus;
use self::{
    removal::{FORGET, QUARANTINE, QUARANTINED, REMOVE},
    status::STATUS,
};
use super::{
    SpoolError,
    sqlite::{begin, give_back, make_folder},
    time::StoredTime,
    tolerant,
};
use crate::domain::Time;

/// A spool's file. Cheap to clone; all clones share one connection.
#[derive(Clone, Debug)]
pub struct SpoolFile {
    pool: SqlitePool,
    path: PathBuf,
    /// The most pages that it takes.
    cap: u64,
}

/// A callback as the spool keeps it: raw, but for the token of its URL.
#[derive(Clone, Debug, FromRow)]
pub struct SpooledRequest {
    /// Its place in the spool; nothing where it has none yet.
    #[sqlx(default)]
    pub id: i64,
    /// When it came.
    #[sqlx(try_from = "StoredTime")]
    pub received_at: Time,
    /// The account whose URL was called.
    pub account: String,
    /// `POST` or `GET`.
    pub method: String,
    /// The `Content-Type` header.
    pub content_type: Option<String>,
    /// The `Content-Encoding` header.
    pub content_encoding: Option<String>,
    /// The query string, percent-encoded.
    pub query: String,
    /// The body.
    pub body: Vec<u8>,
    /// The recipient that the callback URL was signed for, where a signature authenticated the callback.
    pub signed_for: Option<String>,
}

const COLUMNS: &str = "received_at, account, method, content_type, content_encoding, query, body, signed_for";
const OLDEST: &str = "SELECT id, received_at, account, method, content_type, content_encoding, query, body, signed_for \
                      FROM spooled WHERE id > $1 ORDER BY id LIMIT $2";
const COUNT: &str = "SELECT count(*) FROM spooled";
/// Writes, and leaves nothing behind.
const PROBE: &str =
    "INSERT INTO spooled (id, received_at, account, method, query, body) VALUES (-1, 0, '', '', '', '')";

/// Every statement above.
pub(super) const STATEMENTS: [&str; 8] =
    [OLDEST, REMOVE, QUARANTINE, QUARANTINED, FORGET, COUNT, PROBE, STATUS];

impl SpoolFile {
    /// SQLite's own, which the cap is counted in.
    const PAGE: u64 = 4096;

    /// Opens the file at `path`, makes it and its folder where they are missing, and writes to it. It
    /// takes no more than `max_bytes`.
    ///
    /// # Errors
    /// [`SpoolError::Unwritable`] says what to set.
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
        let pool = pool.connect_with(options).await.map_err(|error| unwritable(error.to_string()))?;
        let spool = Self { pool, path: path.to_owned(), cap };
        match spool.prepare().await {
            Ok(()) => Ok(spool),
            // What is in it can still be drained.
            Err(SpoolError::Full) if spool.count().await.is_ok() => Ok(spool),
            Err(error) => Err(unwritable(error.to_string())),
        }
    }

    async fn prepare(&self) -> Result<(), SpoolError> {
        let mut migrations = sqlx::migrate!("migrations/spool");
        tolerant(&mut migrations).run(&self.pool).await.map_err(|error| failed(error.into()))?;
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
                .push_bind(&request.signed_for);
        });
        // One of a kind: its text goes by how many there are.
        insert.build().persistent(false).execute(&self.pool).await.map(|_| ()).map_err(failed)
    }

    /// The callbacks behind place `after` that have waited longest, in the order in which they came.
    ///
    /// # Errors
    /// [`SpoolError`] where the file cannot be read.
    pub async fn oldest(&self, limit: usize, after: i64) -> Result<Vec<SpooledRequest>, SpoolError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        sqlx::query_as(OLDEST).bind(after).bind(limit).fetch_all(&self.pool).await.map_err(failed)
    }

    /// How many callbacks wait.
    ///
    /// # Errors
    /// [`SpoolError`] where the file cannot be read.
    pub async fn count(&self) -> Result<u64, SpoolError> {
        let count: i64 = sqlx::query_scalar(COUNT).fetch_one(&self.pool).await.map_err(failed)?;
        Ok(count.unsigned_abs())
    }

    /// The right to drain, which one process has at a time; it ends when the file is dropped.
    /// None where another process has it.
    ///
    /// # Errors
    /// What the system says.
    pub fn lock_for_draining(&self) -> std::io::Result<Option<File>> {
        let mut path = self.path.clone().into_os_string();
        path.push(".drain");
        let lock = File::create(path)?;
        match lock.try_lock() {
            Ok(()) => Ok(Some(lock)),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// Waits for what is under way and closes the file.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

async fn probe(connection: &mut SqliteConnection) -> sqlx::Result<()> {
    let mut transaction = begin(connection).await?;
    sqlx::query(PROBE).execute(&mut *transaction).await?;
    sqlx::query(REMOVE).bind(-1).execute(&mut *transaction).await?;
    transaction.commit().await
}

fn failed(error: sqlx::Error) -> SpoolError {
    const FULL: &str = "13";
    match error.as_database_error().and_then(sqlx::error::DatabaseError::code) {
        Some(code) if code == FULL => SpoolError::Full,
        _ => SpoolError::Failed(error),
    }
}
