//! A damaged page under the store in SQLite: the start says so, the command names it, and nothing that is
//! acknowledged is lost.

use std::{
    fs::{self, File},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    process::Output,
};

use serde_json::Value;
use tempfile::TempDir;

use super::Spool;
use crate::support::{Backend, Database, Service, binary, migrated};

const PAGE: u64 = 4096;

/// A store with messages, in a folder of its own, whose service has ended.
async fn filled(folder: &Path) -> (Database, PathBuf) {
    let file = folder.join("dlr.db");
    let database = Database::at(&format!("sqlite://{}", file.display()));
    let mut service = Spool::new().serve(&database, &[]).await;
    for number in 0..300 {
        assert_eq!(post(&service, &format!("early-{number}")).await, "recorded");
    }
    service.signal("TERM");
    assert!(service.ended().await.success());
    (database, file)
}

/// What became of a callback, which must be acknowledged.
async fn post(service: &Service, sid: &str) -> String {
    let form = [("SmsSid", sid), ("Status", "sent")];
    let url = format!("{}/callbacks/exotel/default", service.url);
    let answer = reqwest::Client::new().post(url).form(&form).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    answer.json::<Value>().await.unwrap()["status"].as_str().unwrap().to_owned()
}

async fn root(file: &Path, table: &str) -> u64 {
    use sqlx::{Connection, SqliteConnection};
    let mut connection = SqliteConnection::connect(file.to_str().unwrap()).await.unwrap();
    let root = "SELECT rootpage FROM sqlite_master WHERE name = $1";
    let page: i64 = sqlx::query_scalar(root).bind(table).fetch_one(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    (page.unsigned_abs() - 1) * PAGE
}

fn overwrite(file: &Path, at: u64) {
    File::options().write(true).open(file).unwrap().write_all_at(&[0xA5; 8], at).unwrap();
}

/// What `dlr-receiver check` says of a store and a spool.
fn check(database: &Database, spool: &str) -> (bool, String) {
    let folder = TempDir::new().unwrap();
    let mut command = binary(folder.path());
    command.arg("check").env("DATABASE_URL", &database.url).env("DLR__SPOOL__PATH", spool);
    let Output { status, stdout, stderr } = command.output().unwrap();
    (status.success(), String::from_utf8([stdout, stderr].concat()).unwrap())
}

#[tokio::test]
async fn a_damaged_page_of_the_store_is_told_at_the_start_and_named_by_the_check() {
    let folder = TempDir::new().unwrap();
    let (database, file) = filled(folder.path()).await;
    let (is_well, said) = check(&database, "");
    assert!(
        is_well && said.contains("nothing is damaged") && said.contains("messages: as it should be"),
        "{said}"
    );
    let whole = fs::read(&file).unwrap();
    for table in ["receipts", "messages"] {
        fs::write(&file, &whole).unwrap();
        overwrite(&file, root(&file, table).await);
        let (is_well, said) = check(&database, "");
        assert!(!is_well && said.contains(&format!("store: {table}: ")), "{said}");
        assert!(said.contains("A damaged file") && !said.contains("nothing is damaged"), "{said}");

        let spool = Spool::new();
        let service = spool.serve(&database, &[]).await;
        service.has_logged("the SQLite file of the store is damaged").await;
        let mut kept = Vec::new();
        for number in 0..20 {
            kept.push(post(&service, &format!("late-{number}")).await);
        }
        assert!(kept.iter().any(|kept| kept == "spooled"), "{table}: {kept:?}");
        let ready: Value =
            reqwest::get(format!("{}/readyz", service.url)).await.unwrap().json().await.unwrap();
        assert!(ready["detail"].as_str().unwrap().contains("sqlite store is damaged"), "{ready}");
        assert_eq!(ready["status"], "spooling", "{ready}");
        let told = reqwest::get(format!("{}/metrics", service.url)).await.unwrap().text().await.unwrap();
        assert!(told.contains("\ndlr_store_damaged 1\n"), "{told}");
        let log = service.log_text();
        assert_eq!(log.matches("the SQLite file of the store is damaged").count(), 1, "{log}");
        assert!(log.matches("ERROR").count() <= 3, "{log}");
        // With a whole file in its place everything arrives.
        drop(service);
        for part in ["-wal", "-shm"] {
            let _ = fs::remove_file(format!("{}{part}", file.display()));
        }
        fs::write(&file, &whole).unwrap();
        let service = spool.serve(&database, &[]).await;
        spool.is_drained().await;
        for (number, kept) in kept.iter().enumerate().filter(|(_, kept)| *kept == "spooled") {
            let url = format!("{}/messages/late-{number}", service.url);
            assert_eq!(reqwest::get(url).await.unwrap().status(), 200, "{number}: {kept}");
        }
    }
}

#[tokio::test]
async fn a_store_whose_header_is_damaged_is_told_by_its_name_and_what_to_do() {
    let folder = TempDir::new().unwrap();
    let (database, file) = filled(folder.path()).await;
    overwrite(&file, 0);
    let (is_well, said) = check(&database, "");
    assert!(!is_well && said.contains(file.to_str().unwrap()) && said.contains(".recover"), "{said}");
    // Without a spool the start ends with it.
    let run = TempDir::new().unwrap();
    let mut command = binary(run.path());
    command.env("DLR__HTTP__BIND", "127.0.0.1:0").env("DATABASE_URL", &database.url);
    let output = command.env("DLR__SPOOL__PATH", "").output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success(), "{said}");
    assert!(said.contains(file.to_str().unwrap()) && said.contains(".recover"), "{said}");
    // With one, callbacks are taken until the file is mended.
    let service = Spool::new().serve(&database, &[]).await;
    assert_eq!(post(&service, "late").await, "spooled");
    service.has_logged(file.to_str().unwrap()).await;
    let ready = reqwest::get(format!("{}/readyz", service.url)).await.unwrap().text().await.unwrap();
    assert!(ready.contains("spooling") && ready.contains("damaged"), "{ready}");
}

#[tokio::test]
async fn the_check_tells_what_is_wrong_with_the_spool_and_with_postgres_and_changes_nothing() {
    let spool = Spool::new();
    let nowhere = Database::at("postgres://dlr@127.0.0.1:1/nobody");
    let mut service = spool.serve(&nowhere, &[]).await;
    for number in 0..100 {
        assert_eq!(post(&service, &format!("early-{number}")).await, "spooled");
    }
    let database = migrated(Backend::Postgres).await;
    let (is_well, said) = check(&database, &spool.path());
    assert!(
        is_well && said.contains("100 callbacks wait") && said.contains("pg_amcheck"),
        "beside the service: {said}"
    );
    let (is_well, said) = check(&nowhere, &spool.path());
    assert!(!is_well && said.contains("store: "), "{said}");
    service.signal("TERM");
    service.ended().await;
    let (is_well, said) = check(&Database::create(Backend::Postgres).await, &spool.path());
    assert!(!is_well && said.contains("dlr-receiver migrate"), "no schema: {said}");
    let (missing, said) = check(&Database::create(Backend::Sqlite).await, &spool.path());
    assert!(!missing && said.contains("there is no file"), "{said}");
    overwrite(Path::new(&spool.path()), 2 * PAGE);
    overwrite(Path::new(&spool.path()), 20);
    let harmed = fs::read(spool.path()).unwrap();
    let (is_well, said) = check(&database, &spool.path());
    assert!(!is_well && said.contains("spool: ") && said.contains("do not delete it"), "{said}");
    assert_eq!(fs::read(spool.path()).unwrap(), harmed);
}
