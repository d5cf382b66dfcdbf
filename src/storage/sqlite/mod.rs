//! The store in a SQLite file: one connection that writes, a few that read.

mod campaign;
mod check;
mod erase;
mod record;
mod retention;
mod settle;
mod statements;

use std::{
    fs,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use sqlx::{
    ConnectOptions, Connection, Sqlite as Db, SqliteConnection, Transaction,
    pool::PoolConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous},
};

use self::check::Damage;
use crate::storage::{
    BadDatabase, DatabaseConfig, StoreError,
    damage::{is_damage, is_damage_of_migration},
    migration::bring_up_to_date,
    sql::PING,
};

pub(super) use statements::STATEMENTS;

/// Every statement that only SQLite runs and that `STATEMENTS` does not hold.
pub(super) fn statements() -> Vec<&'static str> {
    [&record::statements()[..], &retention::STATEMENTS].concat()
}

/// Connections to one SQLite file.
#[derive(Clone, Debug)]
pub(super) struct Sqlite {
    writer: SqlitePool,
    readers: SqlitePool,
    options: Arc<SqliteConnectOptions>,
    damage: Damage,
}

impl Sqlite {
    /// Prepares the pools. Nothing is opened yet.
    pub fn open(config: &DatabaseConfig) -> Result<Self, StoreError> {
        let options: SqliteConnectOptions = config.url.parse().map_err(BadDatabase::Unreadable)?;
        // FULL: in WAL mode a commit is on disk only then.
        let options = options
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(config.timeout())
            .disable_statement_logging();
        let pool = |connections: u32| {
            let pool = SqlitePoolOptions::new().max_connections(connections);
            // No connection is ever lost, so none has to be tested before use.
            pool.acquire_timeout(config.timeout()).test_before_acquire(false)
        };
        let writer = pool(1).connect_lazy_with(options.clone());
        let readers = interrupted(pool(config.max_connections.get()), config.statement_timeout());
        let readers = readers.connect_lazy_with(options.clone().read_only(true));
        Ok(Self { writer, readers, options: Arc::new(options), damage: Damage::default() })
    }

    /// Opens the file. Creates it and its folder where they are missing.
    pub async fn open_file(&self) -> Result<(), StoreError> {
        self.make_folder()?;
        // The pool would only report a timeout; a single connection reports the reason.
        let connection = self.options.connect().await.map_err(|error| self.told(error))?;
        Ok(connection.close().await?)
    }

    /// Applies missing migrations.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        self.make_folder()?;
        let mut connection = self.writer.acquire().await.map_err(|error| self.told(error))?;
        match bring_up_to_date(&mut *connection, sqlx::migrate!("migrations/sqlite")).await {
            Err(error) if is_damage_of_migration(&error) => Err(damaged(self.path(), &error)),
            migrated => Ok(migrated?),
        }
    }

    fn path(&self) -> &Path {
        self.options.get_filename()
    }

    /// Turns an error that reveals damage into one that names the file.
    fn told(&self, error: sqlx::Error) -> StoreError {
        if is_damage(&error) { damaged(self.path(), &error) } else { error.into() }
    }

    fn make_folder(&self) -> Result<(), StoreError> {
        let made = make_folder(self.options.get_filename());
        made.map_err(|(path, source)| StoreError::Folder { path, source })
    }

    /// Begins a writing transaction and rolls it back.
    pub async fn try_writing(&self) -> sqlx::Result<()> {
        let mut connection = self.writer.acquire().await?;
        let tried = async {
            let mut transaction = begin(&mut connection).await?;
            sqlx::query(PING).execute(&mut *transaction).await?;
            transaction.commit().await
        };
        let tried = tried.await;
        give_back(connection, tried)
    }

    pub fn writer(&self) -> &SqlitePool {
        &self.writer
    }

    pub fn readers(&self) -> &SqlitePool {
        &self.readers
    }

    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

/// Interrupts every statement of the pool's connections after `patience`. Its caller has given up by then; otherwise the statement
/// would go on and block its connection.
fn interrupted(pool: SqlitePoolOptions, patience: Duration) -> SqlitePoolOptions {
    pool.after_connect(move |connection, _| Box::pin(interrupt_after(connection, patience))).before_acquire(
        move |connection, _| {
            Box::pin(async move { interrupt_after(connection, patience).await.map(|()| true) })
        },
    )
}

async fn interrupt_after(connection: &mut SqliteConnection, patience: Duration) -> sqlx::Result<()> {
    /// After how many instructions of SQLite's virtual machine the time is checked: some tens of microseconds.
    const STEPS: i32 = 4096;
    let end = Instant::now() + patience;
    connection.lock_handle().await?.set_progress_handler(STEPS, move || Instant::now() < end);
    Ok(())
}

fn damaged(path: &Path, error: &dyn std::error::Error) -> StoreError {
    StoreError::Damaged { path: path.display().to_string(), damage: error.to_string() }
}

/// Begins a transaction with the write lock: one that begins by reading may fail to get it later.
pub(super) async fn begin(connection: &mut SqliteConnection) -> sqlx::Result<Transaction<'_, Db>> {
    connection.begin_with("BEGIN IMMEDIATE").await
}

/// Returns a connection to the pool after a transaction, or closes it if that failed. On a full disk SQLite rolls back by itself and
/// the driver does not notice: it would take the next transaction for a nested one and report a commit that never happened.
pub(super) fn give_back<T>(mut connection: PoolConnection<Db>, done: sqlx::Result<T>) -> sqlx::Result<T> {
    if done.is_err() {
        connection.close_on_drop();
    }
    done
}

/// Creates the folder of `file`, if the path has one.
pub(super) fn make_folder(file: &Path) -> Result<(), (String, std::io::Error)> {
    let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty()) else { return Ok(()) };
    fs::create_dir_all(folder).map_err(|error| (folder.display().to_string(), error))
}
