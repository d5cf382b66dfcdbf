//! What is no row of the table in `outlived`: schemas that are as they should be, locks, servers that are
//! silent, and what still ends a start.

use std::time::Duration;

use sqlx::{AssertSqlSafe, Connection, PgConnection};

use super::{
    Started, complaint,
    outlived::{Ground, PASSWORDS, migrate},
};
use crate::{
    crash::Spool,
    support::{Backend, Cluster, Database, Service, migrated},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_up_to_date_schema_needs_no_right_to_create() {
    let mut ground = Ground::new().await;
    for (name, newer) in [("bare", false), ("newer", true)] {
        let owner = ground.migrated(name).await;
        let mut inside = ground.inside(name).await;
        let user = format!("{name}_user");
        ground.run(&format!("CREATE ROLE {user} LOGIN PASSWORD 'right'")).await;
        let rights = format!("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {user}");
        sqlx::raw_sql(AssertSqlSafe(rights)).execute(&mut inside).await.unwrap();
        if newer {
            let next = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
                        VALUES (9999, 'add something', TRUE, 'abc', 0)";
            sqlx::raw_sql(next).execute(&mut inside).await.unwrap();
        }
        let database = Database::at(&owner.url.replacen(name, &user, 1));
        let started = Started::on(&database, &[]).await;
        assert_eq!(started.ask("/readyz").await.1["status"], "ready", "{}", started.service.log_text());
        assert_eq!(started.callback("s1").await, "recorded");
        let spoolless = Service::start(&database, &[("SPOOL__PATH", "")]).await;
        let ready = reqwest::get(format!("{}/readyz", spoolless.url)).await.unwrap();
        assert_eq!(ready.status(), 200);
        migrate(&database);
    }
}

/// The number of the lock that the driver's migrations take: the CRC-32 of the database's name, times a
/// constant of the driver's.
fn lock_of_migrations(name: &str) -> i64 {
    let crc = name.bytes().fold(u32::MAX, |crc, byte| {
        (0..8).fold(
            crc ^ u32::from(byte),
            |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 },
        )
    });
    0x3d32_ad9e * i64::from(!crc)
}

/// Sessions of others hold what a start needs.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lock_of_another_session_holds_up_neither_listening_nor_callbacks() {
    for (is_migrated, lock) in [
        (true, "LOCK TABLE _sqlx_migrations IN ACCESS EXCLUSIVE MODE"),
        (true, "LOCK TABLE messages IN ACCESS EXCLUSIVE MODE"),
        (false, "CREATE TABLE _sqlx_migrations (version bigint)"),
        (false, "SELECT pg_advisory_lock($)"),
    ] {
        let database = if is_migrated {
            migrated(Backend::Postgres).await
        } else {
            Database::create(Backend::Postgres).await
        };
        let (_, name) = database.url.rsplit_once('/').unwrap();
        let lock = lock.replace('$', &lock_of_migrations(name).to_string());
        let mut other = PgConnection::connect(&database.url).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(format!("BEGIN; {lock}"))).execute(&mut other).await.unwrap();
        let started = Started::on(&database, &[]).await;
        for number in 0..3 {
            assert_eq!(started.callback(&format!("spooled-{number}")).await, "spooled", "{lock}");
        }
        // A statement that waits for the table of messages is ended by its own time.
        let trouble = if lock.contains("messages") {
            "does not answer in time"
        } else {
            "is locked by another session"
        };
        let (status, ready) = started.says(trouble).await;
        assert_eq!((status, &ready["status"]), (200, &"spooling".into()), "{ready}");
        let told = complaint("serve", &database).await;
        assert!(told.contains(trouble) && told.contains("database.url"), "{lock}: {told}");
        other.close().await.unwrap();
        started.recovers().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_migrating_a_schema_that_is_missing_is_waited_for() {
    let database = Database::create(Backend::Postgres).await;
    let started = Started::on(&database, &[("DLR__DATABASE__MIGRATE", "false")]).await;
    started.outlives("lacks tables or columns of this version", "ERROR").await;
    migrate(&database);
    started.recovers().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_frozen_at_the_start_is_waited_for_in_the_background() {
    let mut cluster = Cluster::start_new().await;
    let database = cluster.database().await;
    cluster.freeze();
    let started = Started::on(&database, &[]).await;
    started.outlives("does not answer in time", "WARN").await;
    let told = complaint("serve", &database).await;
    assert!(told.contains("does not answer in time"), "{told}");
    cluster.thaw();
    started.recovers().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_lets_nobody_in_is_waited_for() {
    let mut ground = Ground::new().await;
    let database = ground.migrated("nobody_gets_in").await;
    ground.cluster.admits("host all dlr all trust\nhost all all all reject");
    while PgConnection::connect(&database.url).await.is_ok() {
        tokio::task::yield_now().await;
    }
    let started = Started::on(&database, &[]).await;
    started.outlives("refuses the user name or the password", "ERROR").await;
    ground.cluster.admits(PASSWORDS);
    started.recovers().await;
}

/// A URL that cannot be mended but by a restart: what was spooled is drained after it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_spooled_under_a_wrong_url_is_drained_after_a_restart() {
    for trouble in ["cannot be reached", "do not agree on TLS"] {
        let database = Database::create(Backend::Postgres).await;
        let wrong = match trouble {
            "cannot be reached" => "postgres://dlr@nobody.invalid/dlr".to_owned(),
            _ => format!("{}?sslmode=require", database.url),
        };
        let wrong = Database::at(&wrong);
        let started = Started::on(&wrong, &[]).await;
        started.outlives(trouble, " ").await;
        let Started { mut service, spool, folder } = started;
        service.signal("TERM");
        assert!(service.ended().await.success(), "{}", service.log_text());
        let path = spool.display().to_string();
        let service = Service::start(&database, &[("SPOOL__PATH", &path)]).await;
        Started { service, spool, folder }.recovers().await;
    }
}

/// A stop does not wait for a database that is being prepared.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_still_prepares_its_database_stops_at_once() {
    let mut cluster = Cluster::start_new().await;
    let database = cluster.database().await;
    cluster.freeze();
    let mut started = Started::on(&database, &[]).await;
    assert_eq!(started.callback("s1").await, "spooled");
    let asked = std::time::Instant::now();
    started.service.signal("TERM");
    assert!(started.service.ended().await.success());
    assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
    cluster.thaw();
}

/// What waiting does not change, and no running service can have lived with, ends the start, spool or not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_can_never_become_right_by_itself_ends_the_start_with_a_spool_too() {
    let changed = migrated(Backend::Postgres).await;
    let mut connection = PgConnection::connect(&changed.url).await.unwrap();
    let statement = "UPDATE _sqlx_migrations SET checksum = 'changed' WHERE version = 2";
    sqlx::raw_sql(statement).execute(&mut connection).await.unwrap();
    let latin = format!("{}_latin1", changed.url.rsplit_once('/').unwrap().1);
    let create = format!("CREATE DATABASE {latin} ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0");
    sqlx::raw_sql(AssertSqlSafe(create)).execute(&mut connection).await.unwrap();
    let (server, _) = changed.url.rsplit_once('/').unwrap();
    let latin = format!("{server}/{latin}");
    for (url, pooler, why) in [
        (changed.url.as_str(), "none", "migration 2 was previously applied but has been modified"),
        (&latin, "none", "encoding is LATIN1"),
        ("mysql://127.0.0.1/dlr", "none", "must begin with postgres:// or sqlite://"),
        ("postgres://[", "none", "database.url"),
        (&changed.url, "transaction", "database.migrate = false"),
    ] {
        let spool = Spool::new();
        let path = spool.path();
        let variables = [("DLR__SPOOL__PATH", path.as_str()), ("DLR__DATABASE__POOLER", pooler)];
        let mut service = Service::spawn(&Database::at(url), &variables);
        assert_eq!(service.ended().await.code(), Some(1), "{url}");
        let log = service.log_text();
        assert!(log.contains(why) && log.contains("database."), "{log}");
    }
}
