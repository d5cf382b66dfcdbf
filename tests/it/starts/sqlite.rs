//! A SQLite file that cannot be opened, written or locked when the service starts, with the spool elsewhere.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::Path,
    process::Command,
};

use sqlx::{ConnectOptions, Connection, SqliteConnection, sqlite::SqliteConnectOptions};

use super::{Started, complaint, outlived::migrate};
use crate::{
    crash::tell,
    support::{Database, Service},
};

fn at(folder: &Path) -> Database {
    Database::at(&format!("sqlite://{}/dlr.db", folder.display()))
}

/// Root may write everywhere; in a namespace of its own it is a user like any other. None where the system
/// does not let us have one, as in some containers.
fn as_mere_user() -> Option<&'static [&'static str]> {
    let starter = ["unshare", "--user"];
    let possible = Command::new(starter[0]).args([starter[1], "true"]).output();
    let possible = possible.is_ok_and(|run| run.status.success());
    if !possible {
        tell("skipped: no namespaces of our own here");
    }
    possible.then_some(&["unshare", "--user"])
}

fn allow(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_that_cannot_be_made_is_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let in_the_way = folder.path().join("data");
    fs::write(&in_the_way, "a file where the folder should be").unwrap();
    let database = at(&in_the_way);
    let started = Started::on(&database, &[]).await;
    started.outlives("cannot be opened: its file or its folder", "ERROR").await;
    for command in ["serve", "migrate"] {
        let told = complaint(command, &database).await;
        assert!(told.contains("database.url") && told.contains("cannot make the folder"), "{told}");
    }
    fs::remove_file(&in_the_way).unwrap();
    started.recovers().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_or_a_file_that_is_read_only_is_waited_for() {
    let Some(user) = as_mere_user() else { return };
    for is_migrated in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        fs::create_dir(&data).unwrap();
        let database = at(&data);
        if is_migrated {
            migrate(&database);
            allow(&data.join("dlr.db"), 0o444);
        }
        allow(&data, 0o555);
        let started = Started::by(user, &database, &[]).await;
        let trouble =
            if is_migrated { "the sqlite database " } else { "cannot be opened: its file or its folder" };
        for number in 0..3 {
            assert_eq!(started.callback(&format!("spooled-{number}")).await, "spooled");
        }
        started.says(trouble).await;
        allow(&data, 0o755);
        if is_migrated {
            allow(&data.join("dlr.db"), 0o644);
        }
        started.recovers().await;
    }
}

/// Neither place takes anything: there is nothing to start for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_only_folder_of_both_the_file_and_the_spool_ends_the_start_with_a_reason() {
    let Some(user) = as_mere_user() else { return };
    let folder = tempfile::tempdir().unwrap();
    allow(folder.path(), 0o555);
    let spool = folder.path().join("spool.db").display().to_string();
    let mut service = Service::spawn_by(user, &at(folder.path()), &[("DLR__SPOOL__PATH", &spool)]);
    assert_eq!(service.ended().await.code(), Some(1));
    let log = service.log_text();
    assert!(log.contains("spool.path") && log.contains(&spool), "{log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_another_process_has_locked_is_waited_for() {
    for is_migrated in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let database = at(folder.path());
        if is_migrated {
            migrate(&database);
        }
        let options =
            SqliteConnectOptions::new().filename(folder.path().join("dlr.db")).create_if_missing(true);
        let mut other: SqliteConnection = options.connect().await.unwrap();
        let lock = "PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; CREATE TABLE others (x)";
        sqlx::raw_sql(lock).execute(&mut other).await.unwrap();
        let started = Started::on(&database, &[]).await;
        for number in 0..3 {
            assert_eq!(started.callback(&format!("spooled-{number}")).await, "spooled");
        }
        started.says("is locked by another session").await;
        let told = complaint("serve", &database).await;
        assert!(told.contains("is locked by another session"), "{told}");
        other.close().await.unwrap();
        started.recovers().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_migration_ends_the_start_with_a_spool_too() {
    let folder = tempfile::tempdir().unwrap();
    let database = at(folder.path());
    migrate(&database);
    let mut connection = SqliteConnection::connect(&database.url).await.unwrap();
    let change = "UPDATE _sqlx_migrations SET checksum = 'changed' WHERE version = 2";
    sqlx::raw_sql(change).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    let spool = folder.path().join("spool.db").display().to_string();
    let mut service = Service::spawn(&database, &[("DLR__SPOOL__PATH", &spool)]);
    assert_eq!(service.ended().await.code(), Some(1));
    assert!(service.log_text().contains("has been modified"), "{}", service.log_text());
}
