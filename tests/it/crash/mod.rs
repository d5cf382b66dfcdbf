//! What goes wrong in production: processes that are killed, databases that stop, freeze or refuse,
//! disks that fill up, clients that hang up. The real binary and a real Postgres; only Exotel is played.
//!
//! Each scenario is short here. With `DLR_SOAK=1` it takes the times and numbers that the promises are
//! made for.

mod damaged;
mod damaged_store;
mod full_disk;
mod hold;
mod killed;
mod locked;
mod outage;
mod overload;
mod replicas;
mod spooled;

pub use hold::Hold;

use std::{
    path::Path,
    time::{Duration, Instant},
};

use sqlx::{ConnectOptions, SqliteConnection, sqlite::SqliteConnectOptions};
use tempfile::TempDir;
use tokio::time::sleep;

use crate::support::{DEADLINE, Database, Service, Settings};

/// The first in a soak, else the second.
pub fn in_soak<T>(soak: T, else_: T) -> T {
    if std::env::var_os("DLR_SOAK").is_some() { soak } else { else_ }
}

/// How slow callbacks may be during an outage: as promised in a soak of a release build, else what a
/// debug build keeps on a machine with much else to do.
fn slowest() -> Duration {
    let promised = std::env::var_os("DLR_SOAK").is_some() && !cfg!(debug_assertions);
    Duration::from_millis(if promised { 250 } else { 1000 })
}

/// A figure for whoever runs the tests with `--nocapture`.
#[expect(clippy::print_stderr, reason = "for whoever reads the tests' output")]
pub fn tell(figure: &str) {
    eprintln!("{figure}");
}

/// A spool that outlives the service.
pub struct Spool(TempDir);

impl Spool {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn path(&self) -> String {
        self.0.path().join("spool.db").display().to_string()
    }

    /// One number out of its file.
    async fn count(&self, what: &str) -> i64 {
        rows(Path::new(&self.path()), what).await.unwrap()
    }

    /// Waits until nothing waits in it. While a damaged file is being replaced, its name may be that of no whole database
    /// for a moment.
    pub async fn is_drained(&self) {
        let end = Instant::now() + DEADLINE;
        loop {
            let waiting = rows(Path::new(&self.path()), "spooled").await;
            if matches!(waiting, Ok(0)) {
                return;
            }
            assert!(Instant::now() < end, "the spool is not drained: {waiting:?}");
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// The service on `database` with this spool, in the times that it has in production.
    pub async fn serve(&self, database: &Database, settings: Settings<'_>) -> Service {
        let path = self.path();
        let own = [
            ("SPOOL__PATH", path.as_str()),
            ("INGEST__COMMIT_TIMEOUT_MS", "2000"),
            ("DATABASE__TIMEOUT_MS", "3000"),
        ];
        Service::start(database, &[&own, settings].concat()).await
    }
}

/// How many rows a spool's file has, as another process sees it.
async fn rows(file: &Path, what: &str) -> sqlx::Result<i64> {
    let options = SqliteConnectOptions::new().filename(file).busy_timeout(DEADLINE);
    let mut file: SqliteConnection = options.connect().await?;
    let count = sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {what}"));
    sqlx::query_scalar(count).fetch_one(&mut file).await
}
