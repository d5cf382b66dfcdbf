//! Holds up every commit to a database, as a long transaction of somebody else does.

use std::time::{Duration, Instant};

use sqlx::{Connection, PgConnection, SqliteConnection};

use crate::support::DEADLINE;

/// A transaction that is in the way of all others until it is released.
pub enum Hold {
    Postgres(PgConnection),
    Sqlite(SqliteConnection),
}

impl Hold {
    /// Takes hold of a database that is migrated.
    pub async fn on(url: &str) -> Self {
        if url.starts_with("sqlite") {
            let mut connection = SqliteConnection::connect(url).await.unwrap();
            sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut connection).await.unwrap();
            return Self::Sqlite(connection);
        }
        let mut connection = PgConnection::connect(url).await.unwrap();
        let lock = "BEGIN; LOCK TABLE messages IN ACCESS EXCLUSIVE MODE";
        sqlx::raw_sql(lock).execute(&mut connection).await.unwrap();
        Self::Postgres(connection)
    }

    /// How many sessions of a Postgres database wait for it.
    pub async fn waiting(&mut self) -> i64 {
        let Self::Postgres(connection) = self else { panic!("SQLite does not say who waits") };
        let waiting = "SELECT count(*) FROM pg_locks JOIN pg_database d ON d.oid = database \
                       WHERE d.datname = current_database() AND NOT granted";
        sqlx::query_scalar(waiting).fetch_one(connection).await.unwrap()
    }

    /// Waits until a commit is held up.
    pub async fn holds(&mut self) {
        let end = Instant::now() + DEADLINE;
        while self.waiting().await == 0 {
            assert!(Instant::now() < end, "nothing is held up");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// Lets the others go on.
    pub async fn release(self) {
        match self {
            Self::Postgres(connection) => connection.close().await.unwrap(),
            Self::Sqlite(connection) => connection.close().await.unwrap(),
        }
    }
}
