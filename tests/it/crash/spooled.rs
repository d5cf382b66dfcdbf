//! What the spool holds outlives the service, comes out in order, and is never more than it may be.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use sqlx::{ConnectOptions, Connection, migrate::Migrator, sqlite::SqliteConnectOptions};
use tokio::time::sleep;

use super::{Spool, hold::Hold, in_soak, tell};
use crate::support::{
    Backend, Cluster, DEADLINE, Database, Load, Pace, Service, Traffic, binary, load::send,
};

/// Nobody answers there.
fn unreachable() -> Database {
    Database::at("postgres://dlr@127.0.0.1:1/nobody")
}

async fn ask(service: &Service, path: &str) -> Value {
    reqwest::get(format!("{}{path}", service.url)).await.unwrap().json().await.unwrap()
}

/// The receipts of each message must have been recorded in the order in which they came.
async fn came_in_order(traffic: &Traffic, service: &Service) {
    for sid in traffic.sids().iter().take(in_soak(1000, 40)) {
        let receipts = ask(service, &format!("/messages/{sid}/callbacks")).await;
        let receipts = receipts["items"].as_array().unwrap().clone();
        let ids: Vec<_> = receipts.iter().map(|receipt| receipt["id"].as_i64().unwrap()).collect();
        assert!(ids.is_sorted(), "{receipts:?}");
        let codes = receipts.iter().map(|receipt| receipt["normalised"]["detailed_status_code"].to_string());
        assert_eq!(codes.collect::<Vec<_>>(), traffic.codes(sid), "as they were sent");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_is_killed_and_started_while_postgres_is_down_drains_everything_later() {
    let (mut cluster, spool) = (Cluster::start_new().await, Spool::new());
    let database = cluster.database().await;
    cluster.stop_immediate();
    // Never migrated: the database was down from the first moment on.
    let (mut lives, mut held) = (Vec::new(), 0);
    for _ in 0..in_soak(20, 2) {
        let mut service = spool.serve(&database, &[]).await;
        assert_eq!(ask(&service, "/readyz").await["status"], "spooling");
        let load = Load::start(&service.url, Pace::FULL);
        load.acknowledges(in_soak(1000, 150)).await;
        service.signal("KILL");
        service.ended().await;
        lives.push(load.stop().await);
        held = spool.count("spooled").await;
    }
    let service = spool.serve(&database, &[]).await;
    let load = Load::start(&service.url, Pace::STEADY);
    load.acknowledges(20).await;
    cluster.start().await;
    load.acknowledges(100).await;
    let last = load.stop().await;
    last.was_all_acknowledged();
    tell(&format!("restarted with {held} callbacks in the spool: {:?}", last.answers()));
    last.is_stored(&service.url).await;
    for traffic in &lives {
        assert_eq!(traffic.spooled(), traffic.acknowledged());
        traffic.is_stored(&service.url).await;
        came_in_order(traffic, &service).await;
    }
    spool.is_drained().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_spool_that_is_full_takes_no_more_and_takes_callbacks_again_once_it_is_drained() {
    let (mut cluster, spool) = (Cluster::start_new().await, Spool::new());
    let database = cluster.database().await;
    let service = spool.serve(&database, &[("SPOOL__MAX_BYTES", "200000")]).await;
    for _ in 0..in_soak(10, 2) {
        cluster.stop_immediate();
        let load = Load::start(&service.url, Pace::FULL);
        load.is_refused(100).await;
        let traffic = load.stop().await;
        let answers = traffic.answers();
        assert_eq!(answers.keys().collect::<Vec<_>>(), ["200 spooled", "503"]);
        assert!(traffic.spooled() > 100, "{answers:?}");
        tell(&format!("a spool of 200,000 bytes: {answers:?}"));
        assert_eq!(refusal(&service).await.headers()["retry-after"], "5");
        let size = std::fs::metadata(spool.path()).unwrap().len();
        assert!(size <= 200_704, "{size} bytes");

        cluster.start().await;
        traffic.is_stored(&service.url).await;
        spool.is_drained().await;
        let load = Load::start(&service.url, Pace::STEADY);
        load.acknowledges(50).await;
        let after = load.stop().await;
        assert!(after.answers()["200 recorded"] >= 50, "{:?}", after.answers());
        after.was_all_acknowledged();
    }
}

/// The first refusal: a lone callback may still fit where many did not.
async fn refusal(service: &Service) -> reqwest::Response {
    let (http, url) = (reqwest::Client::new(), format!("{}/callbacks/exotel/default", service.url));
    loop {
        let form = [("SmsSid", "one-more"), ("Status", "sent")];
        let answer = http.post(&url).form(&form).send().await.unwrap();
        if answer.status() != 200 {
            assert_eq!(answer.status(), 503);
            return answer;
        }
    }
}

#[tokio::test]
async fn callbacks_of_an_account_that_is_gone_are_set_aside_and_hold_up_nobody() {
    let spool = Spool::new();
    let both = [("ACCOUNTS__ACME__COUNTRY", "IN"), ("ACCOUNTS__GONE__COUNTRY", "IN")];
    let cap = ("SPOOL__MAX_BYTES", "100000");
    let mut service = spool.serve(&unreachable(), &[&both[..], &[cap]].concat()).await;
    let (http, mut sids) = (reqwest::Client::new(), Vec::new());
    // To the last page: what is set aside must find a place all the same.
    for number in 0.. {
        let account = if number % 10 == 0 { "acme" } else { "gone" };
        let form = [("SmsSid", format!("{account}-{number}")), ("Status", "sent".into())];
        let url = format!("{}/callbacks/exotel/{account}", service.url);
        let status = http.post(url).form(&form).send().await.unwrap().status();
        if status != 200 {
            assert_eq!(status, 503);
            break;
        }
        sids.push((account, form[0].1.clone()));
    }
    service.signal("TERM");
    assert!(service.ended().await.success(), "{}", service.log_text());

    let database = Database::create(Backend::Postgres).await;
    let service = spool.serve(&database, &[both[0], cap]).await;
    spool.is_drained().await;
    for (account, sid) in &sids {
        let known = ask(&service, &format!("/messages/{sid}")).await;
        assert_eq!(known["sid"] == sid.as_str(), *account == "acme", "{known}");
    }
    let gone = sids.iter().filter(|(account, _)| *account == "gone").count();
    let set_aside = "quarantined WHERE account = 'gone' AND reason = 'the account `gone` is not configured'";
    assert_eq!(usize::try_from(spool.count(set_aside).await).unwrap(), gone);
    service.has_logged("a spooled callback can never be drained").await;
}

#[tokio::test]
async fn a_spool_that_another_process_was_draining_is_drained_once_that_one_is_gone() {
    let (blocked, database) =
        (Database::create(Backend::Postgres).await, Database::create(Backend::Postgres).await);
    let spool = Spool::new();
    let mut before = spool.serve(&blocked, &[("INGEST__COMMIT_TIMEOUT_MS", "100")]).await;
    let hold = Hold::on(&blocked.url).await;
    let load = Load::start(&before.url, Pace::STEADY);
    load.acknowledges(50).await;
    let traffic = load.stop().await;
    // As in an upgrade: the next one starts before the last one has ended.
    let next = spool.serve(&database, &[]).await;
    before.signal("KILL");
    before.ended().await;
    traffic.is_stored(&next.url).await;
    spool.is_drained().await;
    hold.release().await;
}

#[tokio::test]
async fn a_spool_that_cannot_be_written_is_told_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    for (path, why) in
        [("/dev/null/x/spool.db", "cannot make /dev/null/x"), ("/proc/spool.db", "unable to open")]
    {
        let output = refused_start(folder.path(), path);
        assert!(output.contains("spool.path") && output.contains(path) && output.contains(why), "{output}");
    }
}

fn refused_start(folder: &Path, spool: &str) -> String {
    let mut command = binary(folder);
    command.env("DLR__HTTP__BIND", "127.0.0.1:0").env("DLR__SPOOL__PATH", spool);
    let output = command.output().unwrap();
    assert!(!output.status.success());
    String::from_utf8(output.stderr).unwrap()
}

#[tokio::test]
async fn a_spool_that_cannot_be_drained_does_not_keep_callbacks_from_the_store() {
    let (database, spool) = (Database::create(Backend::Postgres).await, Spool::new());
    // The right to drain cannot be had.
    std::fs::create_dir(format!("{}.drain", spool.path())).unwrap();
    let service = spool.serve(&database, &[("INGEST__COMMIT_TIMEOUT_MS", "100")]).await;
    let hold = Hold::on(&database.url).await;
    let load = Load::start(&service.url, Pace::STEADY);
    load.acknowledges(50).await;
    hold.release().await;
    // The store answered while its table was locked, and may have been told to be well before.
    let (http, end) = (reqwest::Client::new(), Instant::now() + DEADLINE);
    while send(&http, &service.url, ("one-more".into(), "20005")).await.answer
        != Some((200, "recorded".into()))
    {
        assert!(Instant::now() < end, "nothing is recorded: {}", service.log_text());
        sleep(Duration::from_millis(20)).await;
    }
    load.acknowledges(50).await;
    let traffic = load.stop().await;
    traffic.was_all_acknowledged();
    assert!(traffic.answers().contains_key("200 recorded"), "{:?}", traffic.answers());
    assert!(usize::try_from(spool.count("spooled").await).unwrap() >= traffic.spooled());
}

/// A spool of an earlier version waits on the disk of a replica that is upgraded during an outage.
#[tokio::test]
async fn what_each_earlier_version_has_spooled_is_drained() {
    let all = Migrator::new(Path::new("migrations/spool")).await.unwrap();
    let last = all.iter().map(|migration| migration.version).max().unwrap();
    for version in 2..=last {
        let (database, spool) = (Database::create(Backend::Sqlite).await, Spool::new());
        let mut migrator = Migrator::new(Path::new("migrations/spool")).await.unwrap();
        migrator.migrations.to_mut().retain(|migration| migration.version <= version);
        let options = SqliteConnectOptions::new().filename(spool.path()).create_if_missing(true);
        let mut connection = options.connect().await.unwrap();
        migrator.run(&mut connection).await.unwrap();
        for sid in ["s1", "s2"] {
            let spooled = "INSERT INTO spooled (received_at, account, method, query, body) \
                           VALUES (1793491200000000, 'default', 'POST', 'team=a', $1)";
            let body = format!("SmsSid={sid}&Status=sent&DetailedStatusCode=20005");
            sqlx::query(spooled).bind(body.into_bytes()).execute(&mut connection).await.unwrap();
        }
        connection.close().await.unwrap();
        let service = spool.serve(&database, &[]).await;
        spool.is_drained().await;
        for sid in ["s1", "s2"] {
            let message = ask(&service, &format!("/messages/{sid}")).await;
            let told = (&message["outcome"], &message["labels"]["team"], &message["first_received_at"]);
            assert_eq!(
                told,
                (&json!("delivered"), &json!("a"), &json!("2026-11-01T00:00:00Z")),
                "version {version}"
            );
            let receipts = ask(&service, &format!("/messages/{sid}/callbacks")).await;
            assert_eq!(receipts["items"][0]["source"], "callback");
        }
    }
}
