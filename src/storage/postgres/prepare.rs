//! Checks a Postgres before it is used, and migrates its schema.

use std::{future::Future, time::Duration};

use sqlx::{
    ConnectOptions, Connection, PgConnection, Row,
    postgres::{PgConnectOptions, PgRow},
};
use tokio::time::{sleep, timeout};

use super::Postgres;
use crate::storage::{BadDatabase, StoreError, Trouble, migration::bring_up_to_date};

pub(super) const ENCODING: &str = "SELECT current_setting('server_encoding')";

/// The settings of a migrating session: no statement timeout, and a short lock timeout. A session that waits for a table's lock
/// holds up everybody behind it, callbacks of other replicas included.
pub(super) const MIGRATES: &str =
    "SELECT set_config('statement_timeout', '0', false), set_config('lock_timeout', '3s', false)";

/// How often the server is pinged during a migration.
const WATCH: Duration = Duration::from_secs(5);

impl Postgres {
    /// Checks that it answers and that its encoding holds every text.
    pub async fn check(&self) -> Result<(), StoreError> {
        // The pool would only report a timeout; a single connection reports the reason.
        match self.in_time(encoding(&self.options)).await?.as_str() {
            "UTF8" => Ok(()),
            other => Err(StoreError::Encoding(other.to_owned())),
        }
    }

    /// Applies missing migrations. May be dropped at any time: each migration is a transaction.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        if self.pooled.is_some() {
            return Err(BadDatabase::PooledMigration.into());
        }
        tokio::select! {
            done = self.apply() => done,
            () = self.falls_silent() => Err(StoreError::TimedOut(self.patience)),
        }
    }

    /// Migrates over a connection of its own, which is closed, and its locks released, when this is dropped.
    async fn apply(&self) -> Result<(), StoreError> {
        let mut connection = self.in_time(self.options.connect()).await?;
        self.in_time(sqlx::query(MIGRATES).persistent(false).execute(&mut connection)).await?;
        bring_up_to_date(&mut connection, sqlx::migrate!("migrations/postgres")).await?;
        Ok(connection.close().await?)
    }

    /// Waits until the server no longer answers pings. A migration may take long, and its connection would wait for ever for a
    /// server that has vanished without closing it.
    async fn falls_silent(&self) {
        let mut silent = 0;
        while silent < 2 {
            sleep(WATCH).await;
            let answer = self.in_time(encoding(&self.options)).await;
            let gone =
                |error: &StoreError| [Trouble::Silent, Trouble::Unreachable].contains(&error.trouble());
            silent = if answer.is_err_and(|error| gone(&error)) { silent + 1 } else { 0 };
        }
    }

    async fn in_time<T>(&self, asked: impl Future<Output = sqlx::Result<T>>) -> Result<T, StoreError> {
        let answer = timeout(self.patience, asked).await;
        Ok(answer.map_err(|_| StoreError::TimedOut(self.patience))??)
    }
}

async fn encoding(options: &PgConnectOptions) -> sqlx::Result<String> {
    let mut connection: PgConnection = options.connect().await?;
    // Not prepared: behind a pooler the next message may go to another session.
    let row: PgRow = sqlx::raw_sql(ENCODING).fetch_one(&mut connection).await?;
    connection.close().await?;
    row.try_get(0)
}
