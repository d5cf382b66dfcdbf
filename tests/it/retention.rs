//! How long things are kept: what is too old goes, all else stays, and callbacks do not wait for it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use dlr_receiver::{
    app,
    domain::{Clock, Time},
    retention::{Purge, PurgeError, Purged, StepPace},
    storage::{ClockFault, Lease, Store},
};
use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection, PgConnection, SqliteConnection};

use crate::support::{Backend, DEADLINE, Database, NOW_MICROS, TestApp, binary, config, migrated};

const DAY: i64 = 24 * 60 * 60 * 1_000_000;

/// The same database once more, which goes with the first.
fn again(database: &Database) -> Database {
    Database::at(&database.url)
}

async fn record_at(app: &TestApp, micros: i64, sid: &str) {
    app.clock.store(micros, Ordering::Relaxed);
    app.record(&[("SmsSid", sid), ("To", "09812345670"), ("DetailedStatusCode", "20005")]).await;
}

/// Waits until what is asked for is so.
async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let end = Instant::now() + DEADLINE;
    while !is_so().await {
        assert!(Instant::now() < end, "{what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn receipts(app: &TestApp, sid: &str) -> usize {
    app.ask(&format!("/messages/{sid}/callbacks")).await.json["items"].as_array().map_or(0, Vec::len)
}

#[tokio::test]
async fn messages_go_with_their_receipts_once_the_last_one_is_too_old() {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let database = migrated(backend).await;
        let app = TestApp::on_database(again(&database), &[]).await;
        for (sid, days) in [("old", 100), ("old", 99), ("revived", 98), ("revived", 1), ("young", 29)] {
            record_at(&app, NOW_MICROS - days * DAY, sid).await;
        }
        let app = TestApp::on_database(again(&database), &[("RETENTION__MESSAGES_DAYS", "30")]).await;
        until("the old message stays", async || app.ask("/messages/old").await.status == 404).await;
        until("the old receipt stays", async || receipts(&app, "revived").await == 1).await;
        assert_eq!(app.message("revived").await["callbacks"], 2, "counts stay right: {backend:?}");
        assert_eq!(receipts(&app, "young").await, 1, "{backend:?}");
        assert_eq!(app.message("young").await["to"], "+919812345670");
    }
}

#[tokio::test]
async fn receipts_may_go_before_their_messages() {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let database = migrated(backend).await;
        let app = TestApp::on_database(again(&database), &[]).await;
        for (sid, days) in [("old", 100), ("young", 3)] {
            record_at(&app, NOW_MICROS - days * DAY, sid).await;
        }
        let settings = [("RETENTION__RECEIPTS_DAYS", "30"), ("RETENTION__MESSAGES_DAYS", "400")];
        let app = TestApp::on_database(again(&database), &settings).await;
        until("the old receipt stays", async || receipts(&app, "old").await == 0).await;
        assert_eq!(app.message("old").await["outcome"], "delivered", "{backend:?}");
        assert_eq!(receipts(&app, "young").await, 1, "{backend:?}");
    }
}

/// So many messages, a second apart, each with its receipt; the last one is as old as `newest` says.
async fn fill(database: &Database, backend: Backend, (messages, newest): (i64, i64)) {
    let first = newest - messages * 1_000_000;
    let (time, labels) = match backend {
        Backend::Sqlite => (format!("{first} + n * 1000000"), "'{}'"),
        Backend::Postgres => (
            format!(
                "timestamptz 'epoch' + ({first}::bigint + n::bigint * 1000000) * interval '1 microsecond'"
            ),
            "'{}'::json",
        ),
    };
    let numbers = format!(
        "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {messages})"
    );
    let rows = format!(
        "INSERT INTO messages (sid, account, first_received_at, last_received_at, decided_at, callbacks, anomalies, \
            evidence, specific, outcome, category, retry, confirmed_by, labels) \
         {numbers} SELECT 'm' || n, 'default', {time}, {time}, {time}, 1, 0, \
            70, TRUE, 'delivered', 'handset', 'none', 'handset', {labels} FROM numbers; \
         INSERT INTO receipts (message_id, received_at, anomalies, source, labels, fields) \
         SELECT id, first_received_at, 0, 'callback', {labels}, {labels} FROM messages ORDER BY id;"
    );
    match backend {
        Backend::Sqlite => {
            let mut connection = SqliteConnection::connect(&database.url).await.unwrap();
            sqlx::raw_sql(AssertSqlSafe(rows)).execute(&mut connection).await.unwrap();
        }
        Backend::Postgres => {
            let mut connection = PgConnection::connect(&database.url).await.unwrap();
            sqlx::raw_sql(AssertSqlSafe(rows)).execute(&mut connection).await.unwrap();
        }
    }
}

/// A store and a purge of it, by a clock that stands still at [`NOW_MICROS`] for both.
fn purge(database: &Database, settings: &[(&str, &str)]) -> (Store, Purge) {
    let config = config(database, settings);
    let clock = clock_at(NOW_MICROS);
    let store = Store::open(&config.database).unwrap().timed_by(&clock);
    (store.clone(), Purge::new(store, app::how_long(&config), StepPace::full(), clock))
}

fn clock_at(micros: i64) -> Clock {
    Clock::Manual(Arc::new(AtomicI64::new(micros)))
}

/// Purges, once nobody else does.
async fn run(purge: &mut Purge) -> Purged {
    let mut done = None;
    until("somebody else purges", async || {
        done = purge.run(&mut |_: &Purged| {}).await.unwrap();
        done.is_some()
    })
    .await;
    done.unwrap()
}

#[tokio::test]
async fn much_goes_in_small_steps() {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let database = migrated(backend).await;
        // The last 500 are not too old. Time enough for whole months: only these are swept on Postgres.
        fill(&database, backend, (3000, NOW_MICROS - 30 * DAY + 500 * 1_000_000)).await;
        let (store, mut purge) = purge(&database, &[("RETENTION__MESSAGES_DAYS", "30")]);
        let mut steps = Vec::new();
        let done = purge.run(&mut |done: &Purged| steps.push(done.messages)).await.unwrap().unwrap();
        // One is as old as is just kept.
        assert_eq!((done.messages, done.receipts), (2499, 2499), "{backend:?}");
        let largest = steps.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap();
        assert!((1..=1000).contains(&largest), "{largest} messages in one step on {backend:?}");
        assert_eq!(store.messages("m2499").await.unwrap().len(), 0);
        assert_eq!(store.messages("m2500").await.unwrap().len(), 1);
        assert_eq!(run(&mut purge).await, Purged::default(), "nothing is left: {backend:?}");
    }
}

#[tokio::test]
async fn refused_bodies_go_though_no_other_one_comes() {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let database = migrated(backend).await;
        let app = TestApp::on_database(again(&database), &[("REJECTED__MAX_AGE_DAYS", "400")]).await;
        for days in [40, 3] {
            app.clock.store(NOW_MICROS - days * DAY, Ordering::Relaxed);
            assert_eq!(app.callback(&[("n", &days.to_string())]).await.status(), 422);
        }
        let (_, mut purge) = purge(&database, &[]);
        assert_eq!(run(&mut purge).await, Purged { rejected: 1, ..Purged::default() }, "{backend:?}");
        app.clock.store(NOW_MICROS - 20 * DAY, Ordering::Relaxed);
        let left = app.ask("/rejected").await.json;
        assert_eq!(
            left["items"].as_array().unwrap().iter().map(|item| &item["body"]).collect::<Vec<_>>(),
            ["n=3"]
        );
    }
}

#[tokio::test]
async fn one_process_at_a_time_purges() {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let database = migrated(backend).await;
        fill(&database, backend, (10, NOW_MICROS - 40 * DAY)).await;
        let (store, mut purge) = purge(&database, &[("RETENTION__MESSAGES_DAYS", "30")]);
        let lease = |term| Lease { name: "retention", holder: "another".into(), term };
        assert!(store.take(&lease(Duration::from_hours(1))).await.unwrap());
        assert_eq!(purge.run(&mut |_: &Purged| {}).await.unwrap(), None, "{backend:?}");
        assert!(store.take(&lease(Duration::from_millis(1))).await.unwrap(), "it is renewed");
        // The other one is gone, and never gives it back.
        assert_eq!(run(&mut purge).await.messages, 10, "{backend:?}");
        assert!(store.take(&lease(Duration::ZERO)).await.unwrap(), "it is given back: {backend:?}");
    }
}

async fn partitions(database: &Database) -> Vec<String> {
    let store = Store::open(&config(database, &[]).database).unwrap();
    let partitions = store.partitions().await.unwrap();
    store.close().await;
    partitions.into_iter().map(|partition| partition.name).collect()
}

async fn nobody_purges(database: &Database) {
    let mut connection = PgConnection::connect(&database.url).await.unwrap();
    until("somebody purges", async || {
        let leases: i64 =
            sqlx::query_scalar("SELECT count(*) FROM leases").fetch_one(&mut connection).await.unwrap();
        leases == 0
    })
    .await;
}

fn micros(text: &str) -> i64 {
    text.parse::<Time>().unwrap().timestamp_micros()
}

#[tokio::test]
async fn partitions_are_made_ahead_and_dropped_whole() {
    let database = migrated(Backend::Postgres).await;
    assert_eq!(partitions(&database).await, ["receipts_first", "receipts_default"]);
    let settings = [("RETENTION__RECEIPTS_DAYS", "30")];
    let march = micros("2031-03-10T12:00:00Z");
    let app = TestApp::on_database_at(march, again(&database), &settings).await;
    let expected = ["receipts_2031_03_01", "receipts_2031_04_01", "receipts_2031_05_01", "receipts_default"];
    until("no partitions are made", async || partitions(&database).await == expected).await;
    nobody_purges(&database).await;
    record_at(&app, march, "m").await;
    record_at(&app, micros("2031-04-02T00:00:00Z"), "m").await;
    record_at(&app, micros("2030-01-01T00:00:00Z"), "stray").await;
    let mut connection = PgConnection::connect(&database.url).await.unwrap();
    let places: Vec<String> =
        sqlx::query_scalar("SELECT tableoid::regclass::text FROM receipts ORDER BY received_at")
            .fetch_all(&mut connection)
            .await
            .unwrap();
    assert_eq!(places, ["receipts_default", "receipts_2031_03_01", "receipts_2031_04_01"]);

    let may = micros("2031-05-01T12:00:00Z");
    let app = TestApp::on_database_at(may, again(&database), &settings).await;
    let expected = [
        "receipts_2031_04_01",
        "receipts_2031_05_01",
        "receipts_2031_06_01",
        "receipts_2031_07_01",
        "receipts_default",
    ];
    until("March stays", async || partitions(&database).await == expected).await;
    until("the stray stays", async || receipts(&app, "stray").await == 0).await;
    assert_eq!(receipts(&app, "m").await, 1, "that of April is younger than 30 days");
    assert_eq!(app.message("m").await["callbacks"], 2);
    // From now on by days: they begin where the months end.
    let settings = [("RETENTION__RECEIPTS_DAYS", "30"), ("RETENTION__PARTITION", "day")];
    let _app = TestApp::on_database_at(micros("2031-07-30T00:00:00Z"), again(&database), &settings).await;
    until("no days are made", async || {
        partitions(&database).await
            == [
                "receipts_2031_06_01",
                "receipts_2031_07_01",
                "receipts_2031_08_01",
                "receipts_2031_08_02",
                "receipts_2031_08_03",
                "receipts_2031_08_04",
                "receipts_2031_08_05",
                "receipts_default",
            ]
    })
    .await;
}

async fn tables_of_receipts(database: &Database) -> Vec<(String, i64)> {
    let mut connection = PgConnection::connect(&database.url).await.unwrap();
    let tables = "SELECT tableoid::regclass::text, count(*) FROM receipts GROUP BY 1 ORDER BY 1";
    sqlx::query_as(tables).fetch_all(&mut connection).await.unwrap()
}

#[tokio::test]
async fn receipts_that_are_ahead_of_their_partition_become_its_own() {
    let database = migrated(Backend::Postgres).await;
    fill(&database, Backend::Postgres, (20, micros("2031-04-15T00:00:00Z"))).await;
    fill_more(&database, (20, micros("2031-03-10T11:00:00Z"))).await;
    // A table that has the name already, such as one that somebody has detached.
    let mut connection = PgConnection::connect(&database.url).await.unwrap();
    sqlx::raw_sql("CREATE TABLE receipts_2031_03_01 ()").execute(&mut connection).await.unwrap();
    let app = TestApp::on_database_at(micros("2031-03-10T12:00:00Z"), again(&database), &[]).await;
    let expected = [
        "receipts_first",
        "receipts_2031_03_01_2",
        "receipts_2031_04_01",
        "receipts_2031_05_01",
        "receipts_default",
    ];
    until("no partitions are made", async || partitions(&database).await == expected).await;
    record_at(&app, micros("2031-04-16T00:00:00Z"), "of_its_time").await;
    assert_eq!(receipts(&app, "of_its_time").await, 1);
    let counts = [("receipts_2031_03_01_2".to_owned(), 20), ("receipts_2031_04_01".to_owned(), 21)];
    assert_eq!(tables_of_receipts(&database).await, counts);
}

/// More messages than [`fill`] has made, with other names.
async fn fill_more(database: &Database, (messages, newest): (i64, i64)) {
    let mut connection = PgConnection::connect(&database.url).await.unwrap();
    let rows = format!(
        "WITH made AS (INSERT INTO messages (sid, account, first_received_at, last_received_at, decided_at, \
            callbacks, anomalies, evidence, specific, outcome, category, retry, confirmed_by, labels) \
         SELECT 'n' || n, 'default', at, at, at, 1, 0, 70, TRUE, 'delivered', 'handset', 'none', 'handset', '{{}}' \
         FROM generate_series(1, {messages}) AS n, \
            LATERAL (SELECT timestamptz 'epoch' + ({newest} + n - {messages}) * interval '1 microsecond' AS at) AS t \
         RETURNING id, first_received_at) \
         INSERT INTO receipts (message_id, received_at, anomalies, source, labels, fields) \
         SELECT id, first_received_at, 0, 'callback', '{{}}', '{{}}' FROM made"
    );
    sqlx::raw_sql(AssertSqlSafe(rows)).execute(&mut connection).await.unwrap();
}

#[tokio::test]
async fn more_of_them_than_callbacks_can_wait_for_stay_until_somebody_moves_them() {
    let database = migrated(Backend::Postgres).await;
    let march = micros("2031-03-10T12:00:00Z");
    fill_more(&database, (3000, march)).await;
    let config = config(&database, &[]);
    let clock = clock_at(march);
    let store = Store::open(&config.database).unwrap().timed_by(&clock);
    let purge = || Purge::new(store.clone(), app::how_long(&config), StepPace::full(), clock.clone());
    let made = run(&mut purge()).await.made;
    let tomorrow = [
        "receipts_first",
        "receipts_2031_03_11",
        "receipts_2031_04_01",
        "receipts_2031_05_01",
        "receipts_default",
    ];
    assert_eq!((made, partitions(&database).await), (3, tomorrow.map(str::to_owned).to_vec()));
    assert_eq!(run(&mut purge()).await.made, 0, "what could be made is");
    assert_eq!(tables_of_receipts(&database).await, [("receipts_default".to_owned(), 3000)]);
    assert_eq!(run(&mut purge().thorough()).await.made, 1);
    assert_eq!(tables_of_receipts(&database).await, [("receipts_2031_03_01".to_owned(), 3000)]);
}

#[tokio::test]
async fn callbacks_of_the_present_are_taken_while_its_partition_is_made() {
    let database = migrated(Backend::Postgres).await;
    let march = micros("2031-03-10T12:00:00Z");
    let app = TestApp::on_database_at(march, again(&database), &[]).await;
    until("no partitions are made", async || partitions(&database).await.len() > 3).await;
    nobody_purges(&database).await;
    let (config, clock) = (config(&database, &[]), clock_at(march));
    let store = Store::open(&config.database).unwrap().timed_by(&clock);
    let mut connection = PgConnection::connect(&database.url).await.unwrap();
    let mut sent = 0;
    for _ in 0..3 {
        // As if it had been dropped by a clock that ran ahead: all goes to the default partition.
        let lose = "ALTER TABLE receipts DETACH PARTITION receipts_2031_03_01; \
                    INSERT INTO receipts OVERRIDING SYSTEM VALUE SELECT * FROM receipts_2031_03_01; \
                    DROP TABLE receipts_2031_03_01";
        sqlx::raw_sql(lose).execute(&mut connection).await.unwrap();
        let done = AtomicU32::new(0);
        let making = async {
            let mut purge =
                Purge::new(store.clone(), app::how_long(&config), StepPace::full(), clock.clone());
            let made = run(&mut purge).await.made;
            done.store(1, Ordering::Relaxed);
            made
        };
        let calling = async {
            let mut calls = 0;
            while done.load(Ordering::Relaxed) == 0 {
                let one = |lane: i32| {
                    let (app, sid) = (&app, format!("c{}_{lane}", sent + calls));
                    async move { record_at(app, march, &sid).await }
                };
                futures_util::future::join_all((0..4).map(one)).await;
                calls += 1;
            }
            calls
        };
        let (made, calls) = tokio::join!(making, calling);
        assert_eq!(made, 1);
        sent += calls;
    }
    let here = tables_of_receipts(&database).await;
    assert_eq!(here, [("receipts_2031_03_01".to_owned(), i64::from(sent) * 4)], "each is in the one place");
    assert_eq!((receipts(&app, "c0_0").await, receipts(&app, &format!("c{}_3", sent - 1)).await), (1, 1));
    assert_eq!(app.ask("/rejected").await.json["items"].as_array().unwrap().len(), 0, "none is refused");
}

#[tokio::test]
async fn partitions_of_the_present_are_made_whatever_stands_in_the_future() {
    let database = migrated(Backend::Postgres).await;
    let settings = [("RETENTION__RECEIPTS_DAYS", "20")];
    let run_at = async |at: &str, period: &str| {
        let settings = [settings[0], ("RETENTION__PARTITION", period)];
        let (config, clock) = (config(&database, &settings), clock_at(micros(at)));
        let store = Store::open(&config.database).unwrap().timed_by(&clock);
        run(&mut Purge::new(store, app::how_long(&config), StepPace::full(), clock)).await
    };
    // What a version before did by a clock that ran ahead.
    let ahead = run_at("2099-06-15T12:00:00Z", "month").await;
    assert_eq!((ahead.made, ahead.dropped), (3, 1));
    let now = run_at("2031-03-30T12:00:00Z", "month").await;
    assert_eq!((now.made, now.dropped), (3, 0));
    let expected = |present: &[&'static str]| {
        let future =
            ["receipts_2099_06_01", "receipts_2099_07_01", "receipts_2099_08_01", "receipts_default"];
        [present, &future].concat()
    };
    let months = ["receipts_2031_03_01", "receipts_2031_04_01", "receipts_2031_05_01"];
    assert_eq!(partitions(&database).await, expected(&months));
    assert_eq!(run_at("2031-03-30T12:00:00Z", "month").await.made, 0);
    // By days, as soon as the months end; and back again.
    assert_eq!(run_at("2031-05-30T00:00:00Z", "day").await.made, 5);
    assert_eq!(run_at("2031-06-02T00:00:00Z", "month").await.made, 3, "the rest of June, July and August");
    let mixed = [
        "receipts_2031_05_01",
        "receipts_2031_06_01",
        "receipts_2031_06_02",
        "receipts_2031_06_03",
        "receipts_2031_06_04",
        "receipts_2031_06_05",
        "receipts_2031_06_06",
        "receipts_2031_07_01",
        "receipts_2031_08_01",
    ];
    assert_eq!(partitions(&database).await, expected(&mixed));
}

#[tokio::test]
async fn nothing_is_deleted_where_the_clocks_differ_and_another_replica_goes_on() {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let database = migrated(backend).await;
        fill(&database, backend, (10, NOW_MICROS - 40 * DAY)).await;
        let config = config(&database, &[("RETENTION__MESSAGES_DAYS", "30")]);
        let store = Store::open(&config.database).unwrap().timed_by(&clock_at(NOW_MICROS));
        let purge = |seconds: i64| {
            let process = clock_at(NOW_MICROS + seconds * 1_000_000);
            Purge::new(store.clone(), app::how_long(&config), StepPace::full(), process)
        };
        for seconds in [75 * 365 * 86_400, -26 * 365 * 86_400, 61, -61] {
            let refused = purge(seconds).run(&mut |_: &Purged| {}).await.unwrap_err();
            assert!(matches!(refused, PurgeError::Clocks(ClockFault::ClocksDiffer { .. })), "{refused}");
            let lease = Lease { name: "retention", holder: "another".into(), term: Duration::ZERO };
            assert!(store.take(&lease).await.unwrap(), "it does not hold the lease: {backend:?}");
        }
        assert_eq!(store.messages("m1").await.unwrap().len(), 1);
        assert_eq!(run(&mut purge(59)).await.messages, 10, "a minute is no matter: {backend:?}");
    }
}

#[tokio::test]
async fn callbacks_do_not_wait_for_a_partition_that_cannot_be_dropped() {
    let database = migrated(Backend::Postgres).await;
    let april = micros("2031-04-15T00:00:00Z");
    // Somebody reads all receipts for a long time, such as a dump.
    let mut reader = PgConnection::connect(&database.url).await.unwrap();
    let mut reading = reader.begin().await.unwrap();
    sqlx::query("SELECT FROM receipts").execute(&mut *reading).await.unwrap();
    let app = TestApp::on_database_at(april, again(&database), &[("RETENTION__RECEIPTS_DAYS", "30")]).await;
    let mut watcher = PgConnection::connect(&database.url).await.unwrap();
    let waits = "SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = database \
                 WHERE datname = current_database() AND mode = 'AccessExclusiveLock' AND NOT granted";
    let attempts = Arc::new(AtomicU32::new(0));
    let seen = Arc::clone(&attempts);
    let watching = tokio::spawn(async move {
        loop {
            let waiting: i64 = sqlx::query_scalar(waits).fetch_one(&mut watcher).await.unwrap();
            seen.fetch_add(u32::from(waiting > 0), Ordering::Relaxed);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    let mut slowest = Duration::ZERO;
    let end = Instant::now() + 2 * DEADLINE;
    while attempts.load(Ordering::Relaxed) < 3 {
        let begun = Instant::now();
        record_at(&app, april, "m").await;
        slowest = slowest.max(begun.elapsed());
        assert!(Instant::now() < end, "nothing was tried");
    }
    watching.abort();
    // A tenth of a second, and what a busy machine adds. Without a limit it would be for as long as is read.
    assert!(slowest < Duration::from_secs(5), "a callback waited for {slowest:?}");
    drop(reading);
    reader.close().await.unwrap();
    until("it is not tried again", async || {
        !partitions(&database).await.contains(&"receipts_first".to_owned())
    })
    .await;
}

#[tokio::test]
async fn partitions_that_cannot_hold_a_message_are_not_read() {
    let database = migrated(Backend::Postgres).await;
    let march = micros("2031-03-10T12:00:00Z");
    let app = TestApp::on_database_at(march, again(&database), &[]).await;
    until("no partitions are made", async || partitions(&database).await.len() > 3).await;
    record_at(&app, march, "m").await;
    let mut connection = PgConnection::connect(&database.url).await.unwrap();
    let statement = dlr_receiver::storage::statements("postgres")
        .into_iter()
        .find(|statement| statement.contains("FROM receipts WHERE message_id = ("))
        .unwrap();
    let values = ["'m'", "'default'", "'epoch'", "0", "10"];
    let statement = (1..)
        .zip(values)
        .fold(statement.to_owned(), |text, (number, value)| text.replace(&format!("${number}"), value));
    let explain = format!("EXPLAIN (ANALYZE, FORMAT JSON) {statement}");
    let plan: Value = sqlx::query_scalar(AssertSqlSafe(explain)).fetch_one(&mut connection).await.unwrap();
    let plan = plan.to_string();
    let read = |partition: &str| {
        let scans = plan.split("\"Relation Name\"").skip(1).filter(|scan| scan.contains(partition));
        scans.filter(|scan| !scan.split('}').next().unwrap().contains("\"Actual Loops\":0")).count()
    };
    assert_eq!((read("\"receipts_2031_03_01\""), read("\"receipts_2031_04_01\"")), (1, 0), "{plan}");
}

/// What `dlr-receiver purge` prints on standard output, or on standard error where it fails.
fn purge_command(
    database: &Database,
    settings: &[(&str, &str)],
    arguments: &[&str],
) -> Result<String, String> {
    let folder = tempfile::tempdir().unwrap();
    let mut command = binary(folder.path());
    command.arg("purge").args(arguments).env("DATABASE_URL", &database.url);
    command.envs(settings.iter().map(|(key, value)| (format!("DLR__{key}"), value)));
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr)) }
}

#[tokio::test]
async fn the_command_says_what_would_go_and_then_does_it() {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let database = migrated(backend).await;
        // All of them are years old by the machine's clock.
        fill(&database, backend, (300, NOW_MICROS)).await;
        let app = TestApp::on_database(again(&database), &[]).await;
        assert_eq!(app.callback(&[("n", "1")]).await.status(), 422);
        let for_ever = purge_command(&database, &[], &["--dry-run"]).unwrap();
        assert!(for_ever.contains("           0 messages"), "{for_ever}");
        let settings = [("RETENTION__MESSAGES_DAYS", "30")];
        for _ in 0..2 {
            let planned = purge_command(&database, &settings, &["--dry-run"]).unwrap();
            let has = |rows: &str, what: &str| {
                let line = planned.lines().find(|line| line.contains(what));
                let line = line.unwrap_or_else(|| panic!("{what} is not in {planned}"));
                assert_eq!(line.split_whitespace().next(), Some(rows), "{line}");
                assert!(rows == "0" || line.contains("2025-01-15T0"), "{line}");
            };
            has("300", " messages ");
            has("300", "receipts, out of receipts");
            has("0", "with their messages");
            has("1", "refused bodies");
        }
        let store = Store::open(&config(&database, &[]).database).unwrap();
        let lease = Lease { name: "retention", holder: "another".into(), term: Duration::from_hours(1) };
        // The service may be at it itself.
        let deadline = Instant::now() + DEADLINE;
        while !store.take(&lease).await.unwrap() {
            assert!(Instant::now() < deadline, "the lease is not given back");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let busy = purge_command(&database, &settings, &[]).unwrap_err();
        assert!(busy.contains("another process purges now"), "{busy}");
        store.release(&lease).await.unwrap();
        let done = purge_command(&database, &settings, &["--full-speed"]).unwrap();
        let figures = "deleted: 300 messages, 300 receipts, 1 refused bodies; partitions dropped: 0, made: ";
        assert!(done.starts_with(figures), "{done}");
        assert_eq!(app.ask("/messages/m1").await.status, 404);
    }
    let wrong = [("RETENTION__MESSAGES_DAYS", "30"), ("RETENTION__RECEIPTS_DAYS", "31")];
    let wrong = purge_command(&Database::at("sqlite://none"), &wrong, &[]).unwrap_err();
    assert!(wrong.contains("retention.receipts_days is 31, and must be 30 at most"), "{wrong}");
    let wrong =
        purge_command(&Database::at("sqlite://none"), &[("RETENTION__PARTITION", "week")], &[]).unwrap_err();
    assert!(wrong.contains("retention.partition") && wrong.contains("must be `month` or `day`"), "{wrong}");
}
