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
use super::{
    BadDatabase, DatabaseConfig, StoreError,
    damage::{is_damage, is_damage_of_migration},
    migration::bring_up_to_date,
    sql::PING,
};

pub(super) use statements::STATEMENTS;

/// Every statement that only SQLite runs, but for those of a campaign.
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
    /// Opens nothing yet.
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
            // A file does not hang up.
            pool.acquire_timeout(config.timeout()).test_before_acquire(false)
        };
        let writer = pool(1).connect_lazy_with(options.clone());
        let readers = interrupted(pool(config.max_connections.get()), config.statement_timeout());
        let readers = readers.connect_lazy_with(options.clone().read_only(true));
        Ok(Self { writer, readers, options: Arc::new(options), damage: Damage::default() })
    }

    /// Makes the file and its folder where they are missing, and opens the file.
    pub async fn open_file(&self) -> Result<(), StoreError> {
        self.make_folder()?;
        // The pool would only say that it timed out; one connection says why.
        let connection = self.options.connect().await.map_err(|error| self.told(error))?;
        Ok(connection.close().await?)
    }

    /// Applies what is missing of the schema.
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

    /// A damaged file is told by its name, and as what it is.
    fn told(&self, error: sqlx::Error) -> StoreError {
        if is_damage(&error) { damaged(self.path(), &error) } else { error.into() }
    }

    fn make_folder(&self) -> Result<(), StoreError> {
        let made = make_folder(self.options.get_filename());
        made.map_err(|(path, source)| StoreError::Folder { path, source })
    }

    /// Begins to write, and changes nothing.
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

/// Lets every statement of the pool's connections run no longer than `patience`. Whoever asked has given up by then;
/// without this the statement would go on, and keep its connection from whoever comes next.
fn interrupted(pool: SqlitePoolOptions, patience: Duration) -> SqlitePoolOptions {
    pool.after_connect(move |connection, _| Box::pin(interrupt_after(connection, patience))).before_acquire(
        move |connection, _| {
            Box::pin(async move { interrupt_after(connection, patience).await.map(|()| true) })
        },
    )
}

async fn interrupt_after(connection: &mut SqliteConnection, patience: Duration) -> sqlx::Result<()> {
    /// How many steps of SQLite's machine are taken between two looks at the clock: some tens of microseconds.
    const STEPS: i32 = 4096;
    let end = Instant::now() + patience;
    connection.lock_handle().await?.set_progress_handler(STEPS, move || Instant::now() < end);
    Ok(())
}

fn damaged(path: &Path, error: &dyn std::error::Error) -> StoreError {
    StoreError::Damaged { path: path.display().to_string(), damage: error.to_string() }
}

/// Begins a transaction that will write: one that begins by reading could not always go on to write.
pub(super) async fn begin(connection: &mut SqliteConnection) -> sqlx::Result<Transaction<'_, Db>> {
    connection.begin_with("BEGIN IMMEDIATE").await
}

/// Gives a connection back after a transaction; one that has failed closes it. SQLite rolls back by itself
/// where the disk is full, and the driver does not notice: it would take the next transaction for a part of
/// this one, and say that it is committed when it is not.
pub(super) fn give_back<T>(mut connection: PoolConnection<Db>, done: sqlx::Result<T>) -> sqlx::Result<T> {
    if done.is_err() {
        connection.close_on_drop();
    }
    done
}

/// Makes the folder of `file`, where it has one.
pub(super) fn make_folder(file: &Path) -> Result<(), (String, std::io::Error)> {
    let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty()) else { return Ok(()) };
    fs::create_dir_all(folder).map_err(|error| (folder.display().to_string(), error))
}
