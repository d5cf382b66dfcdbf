//! Postgres stops, freezes, or cuts its sessions while callbacks come in: all of them are acknowledged.

use std::time::{Duration, Instant};

use tokio::time::sleep;

use super::{Spool, in_soak, slowest, tell};
use crate::support::{Backend, Cluster, Database, Load, Pace};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_stops_at_once_and_comes_back() {
    let (mut cluster, spool) = (Cluster::start_new().await, Spool::new());
    let database = cluster.database().await;
    let service = spool.serve(&database, &[]).await;
    for _ in 0..in_soak(20, 2) {
        let load = Load::start(&service.url, Pace::STEADY);
        load.acknowledges(100).await;
        let began = Instant::now();
        cluster.stop_immediate();
        sleep(Duration::from_secs(in_soak(5, 1))).await;
        let ended = Instant::now();
        cluster.start().await;
        load.acknowledges(100).await;
        let traffic = load.stop().await;
        traffic.was_all_acknowledged();
        assert!(traffic.spooled() > 0, "{:?}", traffic.answers());
        let p99 = traffic.p99((began, ended));
        tell(&format!("stopped: {:?}, p99 {p99:?}", traffic.answers()));
        assert!(p99 < slowest(), "{p99:?}");
        traffic.is_stored(&service.url).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_freezes_and_goes_on() {
    let (mut cluster, spool) = (Cluster::start_new().await, Spool::new());
    let database = cluster.database().await;
    let other_database = cluster.database().await;
    let service = spool.serve(&database, &[]).await;
    let spoolless = spool.serve(&other_database, &[("SPOOL__PATH", "")]).await;
    let load = Load::start(&service.url, Pace::STEADY);
    let spoolless_load = Load::start(&spoolless.url, Pace { senders: 2, ..Pace::STEADY });
    load.acknowledges(100).await;
    let began = Instant::now();
    cluster.freeze();
    sleep(Duration::from_secs(in_soak(10, 4))).await;
    let ended = Instant::now();
    cluster.thaw();
    load.acknowledges(100).await;
    spoolless_load.acknowledges(20).await;
    let traffic = load.stop().await;
    traffic.was_all_acknowledged();
    assert!(traffic.spooled() > 0, "{:?}", traffic.answers());
    // Those in the commit that hangs wait for its deadline, which is two seconds.
    let later = began + Duration::from_millis(2500);
    let (p99, all) = (traffic.p99((later, ended)), traffic.p99((began, ended)));
    tell(&format!("frozen: {:?}, p99 {p99:?}, from the first moment {all:?}", traffic.answers()));
    assert!(p99 < slowest(), "{p99:?}");
    traffic.is_stored(&service.url).await;
    // Without a spool nothing is acknowledged meanwhile, which is said at once.
    let refused = spoolless_load.stop().await;
    let p99 = refused.p99((later, ended));
    tell(&format!("frozen, without a spool: {:?}, p99 {p99:?}", refused.answers()));
    assert_eq!(refused.answers().keys().collect::<Vec<_>>(), ["200 recorded", "503"]);
    assert!(p99 < slowest(), "{p99:?}");
    refused.is_stored(&spoolless.url).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_are_cut_again_and_again() {
    let spool = Spool::new();
    let database = Database::create(Backend::Postgres).await;
    let service = spool.serve(&database, &[]).await;
    let load = Load::start(&service.url, Pace::STEADY);
    load.acknowledges(100).await;
    let (began, mut cut) = (Instant::now(), 0);
    let end = began + Duration::from_secs(in_soak(20, 2));
    while Instant::now() < end || cut < 20 {
        cut += database.terminate_sessions().await;
        sleep(Duration::from_millis(20)).await;
    }
    let ended = Instant::now();
    load.acknowledges(100).await;
    let traffic = load.stop().await;
    traffic.was_all_acknowledged();
    let p99 = traffic.p99((began, ended));
    tell(&format!("{cut} sessions cut: {:?}, p99 {p99:?}", traffic.answers()));
    assert!(p99 < slowest(), "{p99:?}");
    traffic.is_stored(&service.url).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn told_to_stop_while_postgres_is_frozen_it_exits_cleanly_with_all_in_the_spool() {
    let (mut cluster, spool) = (Cluster::start_new().await, Spool::new());
    let database = cluster.database().await;
    let mut service = spool.serve(&database, &[("HTTP__SHUTDOWN_TIMEOUT_MS", "4000")]).await;
    let load = Load::start(&service.url, Pace::STEADY);
    load.acknowledges(50).await;
    cluster.freeze();
    load.acknowledges(100).await;
    let asked = Instant::now();
    service.signal("TERM");
    assert!(service.ended().await.success(), "{}", service.log_text());
    tell(&format!("stopped while Postgres is frozen: {:?}", asked.elapsed()));
    let traffic = load.stop().await;
    cluster.thaw();
    traffic.is_stored(&spool.serve(&database, &[]).await.url).await;
    spool.is_drained().await;
}
