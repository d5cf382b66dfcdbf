//! A database for one test: a file of SQLite, or a database of the throwaway Postgres cluster.

use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::{AssertSqlSafe, Connection, PgConnection, SqliteConnection};
use tempfile::TempDir;

use super::needs::set_by_run;

/// Where a test keeps its messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    Sqlite,
    Postgres,
}

/// An empty database, gone with the test (the Postgres cluster goes as a whole).
pub struct Database {
    pub url: String,
    _folder: Option<TempDir>,
}

impl Database {
    pub async fn create(backend: Backend) -> Self {
        match backend {
            Backend::Sqlite => Self::sqlite(),
            Backend::Postgres => Self::postgres().await,
        }
    }

    fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}/new/dlr.db", folder.path().display());
        Self { url, _folder: Some(folder) }
    }

    async fn postgres() -> Self {
        Self::on(&postgres_url()).await
    }

    /// A database that is somewhere, or nowhere.
    pub fn at(url: &str) -> Self {
        Self { url: url.to_owned(), _folder: None }
    }

    /// A database of the server that `server_url` names a database of.
    pub async fn on(server_url: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("dlr_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let mut connection = PgConnection::connect(server_url).await.unwrap();
        sqlx::query(AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(&mut connection).await.unwrap();
        let (server, _) = server_url.rsplit_once('/').unwrap();
        Self { url: format!("{server}/{name}"), _folder: None }
    }

    /// Changes what is stored, past the service.
    pub async fn execute(&self, statement: &str) {
        let statement = sqlx::raw_sql(AssertSqlSafe(statement.to_owned()));
        if self.url.starts_with("sqlite:") {
            let mut connection = SqliteConnection::connect(&self.url).await.unwrap();
            statement.execute(&mut connection).await.unwrap();
            connection.close().await.unwrap();
        } else {
            let mut connection = PgConnection::connect(&self.url).await.unwrap();
            statement.execute(&mut connection).await.unwrap();
            connection.close().await.unwrap();
        }
    }

    /// Ends every session of this Postgres database, but for the one that does it.
    pub async fn terminate_sessions(&self) -> u64 {
        let mut connection = PgConnection::connect(&self.url).await.unwrap();
        let terminate = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                         WHERE datname = current_database() AND pid <> pg_backend_pid()";
        sqlx::query(terminate).execute(&mut connection).await.unwrap().rows_affected()
    }
}

/// The cluster that `tests/run` has started.
fn postgres_url() -> String {
    set_by_run("DLR_TEST_POSTGRES_URL", "a Postgres server").into_string().expect("a URL is text")
}
