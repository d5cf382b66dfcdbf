//! Damaged pages under the spool: what can be read around them arrives, the rest is told, and nothing that comes
//! later is held up.

use std::{
    fs::{self, File},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    time::Instant,
};

use futures_util::{StreamExt, stream};
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection, SqliteConnection};
use tempfile::TempDir;
use tokio::time::{Duration, sleep};

use super::{Spool, hold::Hold, tell};
use crate::support::{Answer, Backend, DEADLINE, Database, Service};

const PAGE: usize = 4096;
const CALLBACKS: usize = 3000;

/// Sends so many callbacks, each of a message of its own; all of them must be acknowledged.
async fn send(service: &Service, name: &str, callbacks: usize, custom_field: &str) {
    let (http, url) = (reqwest::Client::new(), format!("{}/callbacks/exotel/default", service.url));
    let one = |number: usize| {
        let form = [
            ("SmsSid", format!("{name}-{number}")),
            ("Status", "sent".into()),
            ("CustomField", custom_field.into()),
        ];
        let request = http.post(&url).form(&form);
        async move { request.send().await.unwrap().status().as_u16() }
    };
    let statuses: Vec<u16> = stream::iter((0..callbacks).map(one)).buffer_unordered(64).collect().await;
    assert!(statuses.iter().all(|status| *status == 200), "{statuses:?}");
}

/// A spool with callbacks, whose process was ended by a signal while the store was away.
async fn filled(signal: &str) -> Spool {
    let spool = Spool::new();
    let nowhere = Database::at("postgres://dlr@127.0.0.1:1/nobody");
    let mut service = spool.serve(&nowhere, &[]).await;
    send(&service, "early", CALLBACKS, "x").await;
    service.signal(signal);
    service.ended().await;
    spool
}

/// The same spool in another folder.
fn copied(spool: &Spool) -> Spool {
    let copy = Spool(TempDir::new().unwrap());
    for part in ["", "-wal", "-shm"] {
        let _ = fs::copy(spool.path() + part, copy.path() + part);
    }
    copy
}

/// Eight bytes that nobody wrote.
fn overwrite(file: &str, at: usize) {
    File::options().write(true).open(file).unwrap().write_all_at(&[0xA5; 8], at as u64).unwrap();
}

/// Where the pages begin that have so many rows or more.
fn leaves(file: &str, rows: u8) -> Vec<usize> {
    let bytes = fs::read(file).unwrap();
    let pages = (1..bytes.len() / PAGE).map(|page| page * PAGE);
    pages.filter(|at| bytes[*at] == 0x0D && bytes[at + 4] >= rows).collect()
}

async fn root(file: &str) -> usize {
    let mut connection = SqliteConnection::connect(file).await.unwrap();
    let root = "SELECT rootpage FROM sqlite_master WHERE name = 'spooled'";
    let page: i64 = sqlx::query_scalar(root).fetch_one(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    (usize::try_from(page).unwrap() - 1) * PAGE
}

/// How many messages the store has whose sid begins with a name.
async fn arrived(database: &Database, name: &str) -> usize {
    let count = format!("SELECT count(*) FROM messages WHERE sid LIKE '{name}-%'");
    let count = sqlx::AssertSqlSafe(count);
    let count: i64 = if database.url.starts_with("postgres") {
        let mut connection = PgConnection::connect(&database.url).await.unwrap();
        sqlx::query_scalar(count).fetch_one(&mut connection).await.unwrap()
    } else {
        let mut connection = SqliteConnection::connect(&database.url).await.unwrap();
        sqlx::query_scalar(count).fetch_one(&mut connection).await.unwrap()
    };
    usize::try_from(count).unwrap()
}

async fn ask(service: &Service, path: &str) -> Value {
    Answer::of(reqwest::get(format!("{}{path}", service.url)).await.unwrap()).await.json
}

/// The value of a metric.
async fn metric(service: &Service, name: &str) -> usize {
    let text = ask(service, "/metrics").await;
    let line = text
        .as_str()
        .unwrap()
        .lines()
        .find_map(|line| line.strip_prefix(&format!("{name} ")).map(str::to_owned));
    line.unwrap_or_else(|| panic!("no {name} in {text}")).parse().unwrap()
}

/// Every file of the spool's folder whose name begins like that of a set-aside one.
fn set_aside(spool: &Spool) -> Vec<PathBuf> {
    let files = fs::read_dir(spool.0.path()).unwrap().map(|entry| entry.unwrap().path());
    let is_set_aside = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_str().unwrap();
        name.strip_prefix("spool.db.damaged-").is_some_and(|number| number.parse::<u32>().is_ok())
    };
    files.filter(is_set_aside).collect()
}

const ONCE: &str = "the spool's file was damaged and is set aside";

/// What must be so after a start on a damaged spool. Returns how many callbacks arrived.
async fn is_drained_around(spool: &Spool, database: &Database, damage: &str) -> usize {
    let service = spool.serve(database, &[]).await;
    service.has_logged("what can be read of a damaged spool is drained").await;
    let ready = ask(&service, "/readyz").await;
    assert_eq!(ready["status"], "ready", "{damage}: {ready}");
    let detail = ready["detail"].as_str().unwrap_or_default();
    assert!(detail.contains("damaged spool file was set aside"), "{damage}: {ready}");
    assert_eq!(metric(&service, "dlr_spool_damaged_files").await, 1, "{damage}");
    let came = arrived(database, "early").await;
    let missing = metric(&service, "dlr_spool_damaged_missing").await;
    tell(&format!("{damage}: {came} of {CALLBACKS} arrived, up to {missing} are told to be missing"));
    match ready["callbacks_missing"].as_u64() {
        Some(told) => {
            assert!(came + usize::try_from(told).unwrap() >= CALLBACKS, "{damage}: {came}, {ready}");
        }
        None => assert!(detail.contains("unknown"), "{damage}: {ready}"),
    }
    let erase = reqwest::Client::new().post(format!("{}/recipients/erase", service.url));
    let erased = Answer::of(erase.json(&json!({"recipient": "+919812345670"})).send().await.unwrap()).await;
    assert_eq!(
        (erased.status, &erased.json["set_aside_files"]),
        (200, &json!(1)),
        "{damage}: {}",
        erased.json
    );
    assert_eq!(erased.json["spooled"], 0, "{damage}");
    let log = service.log_text();
    assert_eq!(log.matches(ONCE).count(), 1, "{damage}: {log}");
    assert_eq!(log.matches("ERROR").count(), 1, "{damage}: {log}");
    came
}

/// What comes later is drained, and another start neither repeats nor complains.
async fn goes_on(spool: &Spool, database: &Database, damage: &str) {
    let before = arrived(database, "early").await;
    let nowhere = Database::at("postgres://dlr@127.0.0.1:1/nobody");
    let mut service = spool.serve(&nowhere, &[]).await;
    send(&service, "later", 50, "x").await;
    let ready = ask(&service, "/readyz").await;
    assert_eq!(ready["status"], "spooling", "{damage}: {ready}");
    service.signal("TERM");
    service.ended().await;
    let service = spool.serve(database, &[]).await;
    spool.is_drained().await;
    assert_eq!(arrived(database, "later").await, 50, "{damage}");
    assert_eq!(arrived(database, "early").await, before, "{damage}");
    service.has_logged("a damaged spool file is still here").await;
    let log = service.log_text();
    assert!(!log.contains("ERROR") && !log.contains(ONCE), "{damage}: {log}");
    assert_eq!(set_aside(spool).len(), 1, "{damage}");
}

type Damage = (&'static str, fn(&str, &[usize], usize), usize);

/// What is done to the file, given its leaves and the root, and how many callbacks arrive at least.
const DAMAGES: [Damage; 11] = [
    ("the first page", |file, leaves, _| overwrite(file, leaves[0]), CALLBACKS - 80),
    ("a page in the middle", |file, leaves, _| overwrite(file, leaves[leaves.len() / 2]), CALLBACKS - 80),
    ("the last page", |file, leaves, _| overwrite(file, leaves[leaves.len() - 1]), CALLBACKS - 80),
    ("the list of a page's cells", |file, leaves, _| overwrite(file, leaves[7] + 12), CALLBACKS - 80),
    (
        "three pages",
        |file, leaves, _| {
            for leaf in [3, 20, 21] {
                overwrite(file, leaves[leaf]);
            }
        },
        CALLBACKS - 240,
    ),
    ("the root", |file, _, root| overwrite(file, root), CALLBACKS),
    ("the cells of the root", |file, _, root| overwrite(file, root + PAGE - 40), CALLBACKS),
    ("the header", |file, _, _| overwrite(file, 0), CALLBACKS),
    ("the page size in the header", |file, _, _| overwrite(file, 16), CALLBACKS),
    ("the schema", |file, _, _| overwrite(file, 100), CALLBACKS),
    (
        "cut in half",
        |file, _, _| {
            let half = fs::metadata(file).unwrap().len() / 2;
            File::options().write(true).open(file).unwrap().set_len(half).unwrap();
        },
        CALLBACKS / 3,
    ),
];

async fn every_damage(backend: Backend) {
    let spool = filled("TERM").await;
    let (leaves, root) = (leaves(&spool.path(), 6), root(&spool.path()).await);
    for (damage, harm, at_least) in DAMAGES {
        let (copy, database) = (copied(&spool), Database::create(backend).await);
        harm(&copy.path(), &leaves, root);
        let harmed = fs::read(copy.path()).unwrap();
        let came = is_drained_around(&copy, &database, damage).await;
        assert!(came >= at_least, "{damage}: {came}");
        assert!(fs::read(&set_aside(&copy)[0]).unwrap() == harmed, "{damage}: it is set aside as it was");
        goes_on(&copy, &database, damage).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_can_be_read_around_damaged_pages_arrives_in_postgres() {
    every_damage(Backend::Postgres).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_can_be_read_around_damaged_pages_arrives_in_sqlite() {
    every_damage(Backend::Sqlite).await;
}

/// SQLite keeps no checksums: within a callback's own bytes damage is not seen, and costs at most that one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn damage_within_a_callback_costs_no_other() {
    let (spool, database) = (filled("TERM").await, Database::create(Backend::Postgres).await);
    let leaf = leaves(&spool.path(), 6)[9];
    overwrite(&spool.path(), leaf + 3000);
    let _service = spool.serve(&database, &[]).await;
    spool.is_drained().await;
    let end = Instant::now() + DEADLINE;
    while arrived(&database, "early").await < CALLBACKS - 1 {
        assert!(Instant::now() < end, "{} arrived", arrived(&database, "early").await);
        sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_is_no_spool_any_more_is_set_aside_and_told() {
    for (damage, content) in [("empty", Vec::new()), ("no database", b"no database\n".repeat(20_000))] {
        for up in [true, false] {
            let (spool, database) = (Spool::new(), Database::create(Backend::Postgres).await);
            fs::write(spool.path(), &content).unwrap();
            let nowhere = Database::at("postgres://dlr@127.0.0.1:1/nobody");
            let service = spool.serve(if up { &database } else { &nowhere }, &[]).await;
            service.has_logged(ONCE).await;
            let ready = ask(&service, "/readyz").await;
            assert_eq!(ready["status"], if up { "ready" } else { "spooling" }, "{damage}: {ready}");
            let detail = ready["detail"].as_str().unwrap();
            assert!(detail.contains("unknown number"), "{damage}: {ready}");
            assert_eq!(fs::read(&set_aside(&spool)[0]).unwrap(), content, "{damage}");
            send(&service, "later", 20, "x").await;
            if up {
                service.has_logged("what can be read of a damaged spool is drained").await;
            }
            drop(service);
            let service = spool.serve(&database, &[]).await;
            spool.is_drained().await;
            // Without a store the file could not be dealt with before.
            let line = if up { "a damaged spool file is still here" } else { ONCE };
            service.has_logged(line).await;
            assert_eq!(arrived(&database, "later").await, 20, "{damage}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_or_missing_log_of_a_killed_service_is_noticed() {
    let spool = filled("KILL").await;
    let wal = fs::metadata(spool.path() + "-wal").unwrap().len();
    assert!(wal > 100_000, "{wal} bytes");
    for at in [0, 40, usize::try_from(wal).unwrap() / 4] {
        let (copy, database) = (copied(&spool), Database::create(Backend::Postgres).await);
        overwrite(&(copy.path() + "-wal"), at);
        let came = is_drained_around(&copy, &database, &format!("the log at {at}")).await;
        assert!(came >= CALLBACKS - 80, "{came}");
        goes_on(&copy, &database, "the log").await;
    }
    let (copy, database) = (copied(&spool), Database::create(Backend::Postgres).await);
    fs::remove_file(copy.path() + "-wal").unwrap();
    is_drained_around(&copy, &database, "no log").await;
    // Nothing is wrong with what a killed service leaves behind.
    let database = Database::create(Backend::Postgres).await;
    let service = spool.serve(&database, &[]).await;
    spool.is_drained().await;
    assert_eq!(arrived(&database, "early").await, CALLBACKS);
    assert!(!service.log_text().contains("ERROR") && set_aside(&spool).is_empty(), "{}", service.log_text());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn damage_under_a_running_service_holds_up_nothing() {
    const CALLBACKS: usize = 1200;
    let (spool, database) = (Spool::new(), Database::create(Backend::Postgres).await);
    let service = spool.serve(&database, &[]).await;
    let hold = Hold::on(&database.url).await;
    // More than SQLite keeps in memory.
    send(&service, "early", CALLBACKS, &"x".repeat(3000)).await;
    let leaves = leaves(&spool.path(), 1);
    overwrite(&spool.path(), leaves[leaves.len() / 3]);
    send(&service, "later", 100, "x").await;
    hold.release().await;
    service.has_logged("what can be read of a damaged spool is drained").await;
    send(&service, "last", 10, "x").await;
    spool.is_drained().await;
    let came = arrived(&database, "early").await;
    tell(&format!("under a running service: {came} of {CALLBACKS} arrived"));
    // What SQLite had in memory is drained although it is damaged on disk.
    assert!(came >= CALLBACKS - 40, "{came}");
    let end = Instant::now() + DEADLINE;
    while arrived(&database, "later").await < 100 || arrived(&database, "last").await < 10 {
        assert!(Instant::now() < end, "what came later does not arrive: {}", service.log_text());
        sleep(Duration::from_millis(20)).await;
    }
    let ready = ask(&service, "/readyz").await;
    assert_eq!(ready["status"], "ready", "{ready}");
    let missing = usize::try_from(ready["callbacks_missing"].as_u64().unwrap()).unwrap();
    assert!(came + missing >= CALLBACKS && missing <= 40, "{came}: {ready}");
    assert_eq!(service.log_text().matches(ONCE).count(), 1, "{}", service.log_text());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_still_has_the_damaged_file_open_loses_nothing() {
    let (spool, database) = (filled("TERM").await, Database::create(Backend::Postgres).await);
    let nowhere = Database::at("postgres://dlr@127.0.0.1:1/nobody");
    // As in a rolling upgrade: the one before does not know that its file is damaged.
    let mut before = spool.serve(&nowhere, &[]).await;
    let leaves = leaves(&spool.path(), 6);
    overwrite(&spool.path(), leaves[leaves.len() / 2]);
    let next = spool.serve(&database, &[]).await;
    next.has_logged(ONCE).await;
    send(&before, "both", 200, "x").await;
    before.signal("TERM");
    assert!(before.ended().await.success());
    let end = Instant::now() + DEADLINE;
    while arrived(&database, "both").await < 200 || arrived(&database, "early").await < CALLBACKS - 80 {
        assert!(Instant::now() < end, "{} arrived: {}", arrived(&database, "both").await, next.log_text());
        sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn a_start_that_cannot_set_the_file_aside_says_what_it_holds() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("spool.db");
    fs::write(&path, b"no database\n".repeat(1000)).unwrap();
    // A folder has the name of the file's log.
    fs::create_dir(folder.path().join("spool.db-wal")).unwrap();
    fs::write(folder.path().join("spool.db-wal/x"), "").unwrap();
    fs::write(folder.path().join("spool.db.damaged-1-wal"), "").unwrap();
    let mut command = crate::support::binary(folder.path());
    command.env("DLR__HTTP__BIND", "127.0.0.1:0").env("DLR__SPOOL__PATH", &path);
    let output = command.output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success(), "{told}");
    assert!(told.contains("acknowledged") && told.contains(path.to_str().unwrap()), "{told}");
    assert!(Path::new(&path).exists());
}
