//! A process whose clock is wrong, by libfaketime: it deletes nothing, and dates callbacks by the database's clock.

use std::{
    path::PathBuf,
    process::Output,
    time::{Duration, Instant},
};

use chrono::{DateTime, Datelike, TimeDelta, Utc};
use reqwest::Client;
use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection, PgConnection, SqliteConnection};

use crate::support::{Backend, DEADLINE, Database, Service, binary, migrated};

const KEPT: [(&str, &str); 4] = [
    ("DLR__RETENTION__MESSAGES_DAYS", "30"),
    ("DLR__RETENTION__RECEIPTS_DAYS", "20"),
    ("DLR__REJECTED__MAX_AGE_DAYS", "30"),
    ("DLR__SPOOL__PATH", ""),
];

/// The library that shows a process another time.
fn libfaketime() -> PathBuf {
    let folders = std::fs::read_dir("/usr/lib").unwrap().flatten().map(|entry| entry.path());
    let mut files = folders.map(|folder| folder.join("faketime/libfaketimeMT.so.1"));
    files.find(|file| file.exists()).expect("no libfaketime here: sudo apt-get install faketime")
}

/// What makes a process's clock differ by `offset`, such as `+59`, in seconds or with a unit; nothing for none.
/// Timers are not concerned: they go by a clock that nobody sets.
fn clock_off_by(offset: &str) -> Vec<(String, String)> {
    if offset.is_empty() {
        return Vec::new();
    }
    let variables = [
        ("LD_PRELOAD", libfaketime().to_str().unwrap().to_owned()),
        ("FAKETIME", offset.to_owned()),
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
    ];
    variables.map(|(name, value)| (name.to_owned(), value)).to_vec()
}

/// A service whose clock is off.
async fn service(database: &Database, offset: &str) -> Service {
    let faked = clock_off_by(offset);
    let faked = faked.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    Service::start_with(database, &KEPT.into_iter().chain(faked).collect::<Vec<_>>()).await
}

/// `dlr-receiver purge` where the clock is off: whether it succeeds, and what it prints.
fn purge(database: &Database, offset: &str, arguments: &[&str]) -> (bool, String) {
    let folder = tempfile::tempdir().unwrap();
    let mut command = binary(folder.path());
    command.arg("purge").args(arguments).env("DATABASE_URL", &database.url);
    let Output { status, stdout, stderr } = command.envs(KEPT).envs(clock_off_by(offset)).output().unwrap();
    let said = [stdout, stderr].map(|said| String::from_utf8(said).unwrap()).concat();
    (status.success(), said)
}

async fn record(service: &Service, sid: &str) {
    let fields = [("SmsSid", sid), ("To", "09812345670"), ("DetailedStatusCode", "20005")];
    let url = format!("{}/callbacks/exotel/default", service.url);
    assert_eq!(Client::new().post(url).form(&fields).send().await.unwrap().status(), 200);
}

async fn refuse(service: &Service, body: &str) {
    let url = format!("{}/callbacks/exotel/default", service.url);
    assert_eq!(Client::new().post(url).body(body.to_owned()).send().await.unwrap().status(), 422);
}

async fn ask(service: &Service, path: &str) -> Value {
    let answer = Client::new().get(format!("{}{path}", service.url)).send().await.unwrap();
    serde_json::from_str(&answer.text().await.unwrap()).unwrap()
}

/// The value of a series.
async fn metric(service: &Service, series: &str) -> Option<f64> {
    let text = Client::new().get(format!("{}/metrics", service.url)).send().await.unwrap();
    let text = text.text().await.unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' ').map(str::to_owned));
    line.map(|value| value.parse().unwrap())
}

async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let end = Instant::now() + DEADLINE;
    while !is_so().await {
        assert!(Instant::now() < end, "{what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Runs a statement, and returns its numbers.
async fn count(database: &Database, statement: &str) -> i64 {
    let statement = AssertSqlSafe(statement.to_owned());
    if database.url.starts_with("sqlite") {
        let mut connection = SqliteConnection::connect(&database.url).await.unwrap();
        return sqlx::query_scalar(statement).fetch_one(&mut connection).await.unwrap();
    }
    let mut connection = PgConnection::connect(&database.url).await.unwrap();
    sqlx::query_scalar(statement).fetch_one(&mut connection).await.unwrap()
}

async fn run(database: &Database, statements: &str) {
    let statements = AssertSqlSafe(statements.to_owned());
    if database.url.starts_with("sqlite") {
        let mut connection = SqliteConnection::connect(&database.url).await.unwrap();
        sqlx::raw_sql(statements).execute(&mut connection).await.unwrap();
    } else {
        let mut connection = PgConnection::connect(&database.url).await.unwrap();
        sqlx::raw_sql(statements).execute(&mut connection).await.unwrap();
    }
}

/// The partitions, without those that hold no time.
async fn partitions(database: &Database) -> Vec<String> {
    let mut connection = PgConnection::connect(&database.url).await.unwrap();
    let names =
        "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'receipts'::regclass ORDER BY 1";
    sqlx::query_scalar(names).fetch_all(&mut connection).await.unwrap()
}

async fn is_said(service: &Service, kind: &str) {
    let refusals = format!("dlr_retention_refusals_total{{reason=\"{kind}\"}}");
    until("nothing is refused", async || metric(service, &refusals).await >= Some(1.0)).await;
    service.has_logged("nothing is deleted while the clocks cannot be trusted").await;
    let log = service.log_text();
    assert_eq!(log.matches("nothing is deleted while the clocks cannot be trusted").count(), 1, "{log}");
    assert!(log.contains("ERROR"), "{log}");
}

#[tokio::test]
async fn a_clock_that_is_far_off_deletes_nothing_on_postgres() {
    let database = migrated(Backend::Postgres).await;
    let right = service(&database, "").await;
    for sid in ["m1", "m2"] {
        record(&right, sid).await;
    }
    refuse(&right, "n=1").await;
    until("no partitions are made", async || partitions(&database).await.len() >= 4).await;
    assert_eq!(
        metric(&right, "dlr_clock_skew_seconds").await.map(f64::abs).map(|skew| skew < 1.0),
        Some(true)
    );
    let before = partitions(&database).await;
    for (offset, year) in [("+73y", 2099), ("-27y", 1999), ("+61", 0)] {
        let wrong = service(&database, offset).await;
        is_said(&wrong, "clocks_differ").await;
        let skew = metric(&wrong, "dlr_clock_skew_seconds").await.unwrap();
        assert_eq!(skew > 60.0, offset.starts_with('+'), "{offset}: {skew}");
        // Its clock dates nothing where it is certain to be wrong, and prunes nothing.
        refuse(&wrong, "n=2").await;
        record(&wrong, &format!("by_{year}")).await;
        let message = ask(&right, &format!("/messages/by_{year}")).await;
        for time in ["first_received_at", "last_received_at"] {
            let time: DateTime<Utc> = message[time].as_str().unwrap().parse().unwrap();
            assert!((time - Utc::now()).abs() < TimeDelta::minutes(2), "{offset}: {message}");
        }
        for arguments in [&[][..], &["--dry-run"], &["--full-speed"], &["--trust-clock"]] {
            let (done, said) = purge(&database, offset, arguments);
            assert!(!done, "{offset} {arguments:?}: {said}");
            let today = Utc::now().format("the database's clock says %Y-").to_string();
            let process = format!("this machine's clock says {year}");
            let names_both =
                said.contains(&today) && (year == 0 || said.contains(&process[..process.len() - 1]));
            assert!(names_both && said.contains("set the wrong clock right"), "{offset}: {said}");
        }
        // Another replica, whose clock is right, goes on beside it.
        let (done, said) = purge(&database, "", &[]);
        assert!(done && said.contains("deleted: 0 messages, 0 receipts, 0 refused bodies"), "{said}");
        assert_eq!(count(&database, "SELECT count(*) FROM leases").await, 0);
        assert_eq!(partitions(&database).await, before, "{offset}");
    }
    assert_eq!(count(&database, "SELECT count(*) FROM messages").await, 5);
    assert_eq!(count(&database, "SELECT count(*) FROM receipts_default").await, 0);
    assert_eq!(ask(&right, "/rejected").await["items"].as_array().unwrap().len(), 4);
    let log = right.log_text();
    assert!(!log.contains("clock"), "{log}");
}

#[tokio::test]
async fn a_machine_whose_clock_leaps_deletes_nothing_on_sqlite() {
    let database = migrated(Backend::Sqlite).await;
    {
        let right = service(&database, "").await;
        record(&right, "m1").await;
        refuse(&right, "n=1").await;
    }
    for offset in ["+73y", "+40d", "+25h"] {
        let (done, said) = purge(&database, offset, &["--dry-run"]);
        assert!(
            !done && said.contains("was last seen at") && said.contains("--trust-clock"),
            "{offset}: {said}"
        );
        let (done, said) = purge(&database, offset, &[]);
        assert!(!done && said.contains("was last seen at"), "{offset}: {said}");
    }
    {
        let wrong = service(&database, "+73y").await;
        is_said(&wrong, "clock_leapt").await;
        refuse(&wrong, "n=2").await;
    }
    let counted = async |table: &str| count(&database, &format!("SELECT count(*) FROM {table}")).await;
    assert_eq!((counted("messages").await, counted("receipts").await, counted("rejected").await), (1, 1, 2));
    // What goes on a little, or goes back, is nothing unusual.
    for offset in ["+23h", "-27y", ""] {
        let (done, said) = purge(&database, offset, &[]);
        assert!(done && said.contains("deleted: 0 messages"), "{offset}: {said}");
    }
    // Somebody says that it is right.
    let (done, said) = purge(&database, "+40d", &["--trust-clock"]);
    assert!(done && said.contains("deleted: 1 messages, 1 receipts, 1 refused bodies"), "{said}");
    let (done, said) = purge(&database, "+40d", &["--dry-run"]);
    assert!(done, "{said}");
}

#[tokio::test]
async fn a_database_that_was_not_seen_for_long_has_to_be_trusted_first() {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let database = migrated(backend).await;
        let day_ago = match backend {
            Backend::Sqlite => "UPDATE clock SET seen_at = seen_at - 90000000000",
            Backend::Postgres => "UPDATE clock SET seen_at = seen_at - interval '25 hours'",
        };
        run(&database, day_ago).await;
        let service = service(&database, "").await;
        is_said(&service, "clock_leapt").await;
        let (done, said) = purge(&database, "", &[]);
        assert!(!done && said.contains("was last seen at"), "{backend:?}: {said}");
        let (done, said) = purge(&database, "", &["--trust-clock"]);
        assert!(done, "{backend:?}: {said}");
        let (done, said) = purge(&database, "", &[]);
        assert!(done, "{backend:?}: {said}");
    }
}

#[tokio::test]
async fn a_clock_that_is_off_by_less_than_a_minute_goes_on() {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        for offset in ["+55", "-55"] {
            let database = migrated(backend).await;
            let (done, said) = purge(&database, offset, &["--dry-run"]);
            assert!(done, "{backend:?} {offset}: {said}");
            let service = service(&database, offset).await;
            let ended = "dlr_retention_refusals_total{reason=\"clocks_differ\"}";
            assert_eq!(metric(&service, ended).await, Some(0.0));
            if backend == Backend::Postgres {
                until("no partitions are made", async || partitions(&database).await.len() >= 4).await;
            }
            let (done, said) = purge(&database, offset, &[]);
            assert!(done || said.contains("another process purges now"), "{backend:?} {offset}: {said}");
        }
    }
}

#[tokio::test]
async fn what_a_clock_ahead_has_left_behind_is_mended_at_the_right_time() {
    let database = migrated(Backend::Postgres).await;
    // As the version before left it: none for the present, three of 2099, and receipts of now in the default one.
    run(
        &database,
        "DROP TABLE receipts_first; \
         CREATE TABLE receipts_2099_08_01 PARTITION OF receipts FOR VALUES FROM ('2099-08-01 00:00Z') TO ('2099-09-01 00:00Z'); \
         CREATE TABLE receipts_2099_09_01 PARTITION OF receipts FOR VALUES FROM ('2099-09-01 00:00Z') TO ('2099-10-01 00:00Z'); \
         INSERT INTO receipts (message_id, received_at, anomalies, source, labels, fields) \
         SELECT n, now(), 0, 'callback', '{}', '{}' FROM generate_series(1, 50) AS n",
    )
    .await;
    let service = service(&database, "").await;
    service.has_logged("partitions of receipts stand in the far future").await;
    let today = Utc::now();
    let present = format!("receipts_{}_{:02}_01", today.year(), today.month());
    until("none is made", async || partitions(&database).await.contains(&present)).await;
    assert_eq!(count(&database, "SELECT count(*) FROM receipts_default").await, 0);
    record(&service, "m1").await;
    assert_eq!(count(&database, &format!("SELECT count(*) FROM {present}")).await, 51);
    assert!(partitions(&database).await.contains(&"receipts_2099_09_01".to_owned()), "it stays");
}
