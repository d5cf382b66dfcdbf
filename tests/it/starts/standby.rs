//! A service on a hot standby: questions are answered from it, callbacks are spooled until it is promoted.

use std::time::{Duration, Instant};

use sqlx::{Connection, PgConnection};
use tokio::time::sleep;

use super::{Started, outlived::migrate};
use crate::support::{Cluster, DEADLINE, Database, Service};

/// Waits until a standby has a message.
async fn has(url: &str, sid: &str) {
    let end = Instant::now() + DEADLINE;
    let has = "SELECT count(*) FROM messages WHERE sid = $1";
    loop {
        if let Ok(mut standby) = PgConnection::connect(url).await
            && sqlx::query_scalar::<_, i64>(has).bind(sid).fetch_one(&mut standby).await.is_ok_and(|n| n > 0)
        {
            return;
        }
        assert!(Instant::now() < end, "the standby does not follow");
        sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_on_a_standby_spools_answers_questions_and_drains_after_the_promotion() {
    let mut primary = Cluster::start_new().await;
    let before = primary.database().await;
    let on_primary = Started::on(&before, &[]).await;
    assert_eq!(on_primary.callback("before").await, "recorded");
    let standby = primary.standby("one").await;
    let (_, name) = before.url.rsplit_once('/').unwrap();
    let database = Database::at(&format!("postgres://dlr@127.0.0.1:{}/{name}", standby.port));
    has(&database.url, "before").await;

    let started = Started::on(&database, &[]).await;
    started.outlives("is read-only now", "WARN").await;
    let (status, known) = started.ask("/messages/before").await;
    assert_eq!((status, &known["outcome"]), (200, &"delivered".into()), "{known}");
    assert_eq!(started.ask("/stats").await.0, 200);
    // One that only answers questions needs no spool, where it is told not to migrate.
    let reader = [("SPOOL__PATH", ""), ("DATABASE__MIGRATE", "false")];
    let reader = Service::start(&database, &reader).await;
    let known = reqwest::get(format!("{}/messages/before", reader.url)).await.unwrap();
    assert_eq!(known.status(), 200);
    let ready = reqwest::get(format!("{}/readyz", reader.url)).await.unwrap();
    assert_eq!(ready.status(), 503, "it takes no callbacks");
    let told = super::complaint("serve", &database).await;
    assert!(told.contains("is read-only now"), "{told}");

    primary.stop_immediate();
    assert_eq!(started.callback("spooled-0").await, "spooled");
    standby.promote();
    started.service.has_logged("the store does its work again").await;
    let end = Instant::now() + DEADLINE;
    while started.ask("/messages/spooled-0").await.1["callbacks"] != 2 {
        assert!(Instant::now() < end, "{}", started.service.log_text());
        sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(started.callback("afterwards").await, "recorded");
    let end = Instant::now() + DEADLINE;
    while reqwest::get(format!("{}/readyz", reader.url)).await.unwrap().status() != 200 {
        assert!(Instant::now() < end, "{}", reader.log_text());
        sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_running_service_whose_server_comes_back_as_a_standby_does_the_same() {
    let mut cluster = Cluster::start_new().await;
    let database = cluster.database().await;
    migrate(&database);
    let started = Started::on(&database, &[]).await;
    assert_eq!(started.callback("before").await, "recorded");
    cluster.stop_immediate();
    cluster.demote();
    cluster.start().await;
    for number in 0..3 {
        assert_eq!(started.callback(&format!("spooled-{number}")).await, "spooled");
    }
    let (status, ready) = started.says("is read-only now").await;
    assert_eq!((status, &ready["status"]), (200, &"spooling".into()));
    assert_eq!(started.ask("/messages/before").await.0, 200);
    cluster.promote();
    started.recovers().await;
}
