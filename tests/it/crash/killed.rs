//! The service is killed or stopped while callbacks pour in.

use std::time::Instant;

use super::{Spool, in_soak, tell};
use crate::support::{Backend, Database, Load, Pace};

async fn loses_nothing_when_it_is_killed_under_full_load(backend: Backend) {
    let (database, spool) = (Database::create(backend).await, Spool::new());
    let mut lives = Vec::new();
    for life in 0..in_soak(20, 3) {
        let mut service = spool.serve(&database, &[]).await;
        let load = Load::start(&service.url, Pace::FULL);
        load.acknowledges(in_soak(2000, 200) + 37 * life).await;
        service.signal("KILL");
        service.ended().await;
        lives.push(load.stop().await);
    }
    let service = spool.serve(&database, &[]).await;
    for traffic in &lives {
        tell(&format!("killed on {backend:?}: {:?}", traffic.answers()));
        traffic.is_stored(&service.url).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_when_it_is_killed_under_full_load_on_sqlite() {
    loses_nothing_when_it_is_killed_under_full_load(Backend::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_when_it_is_killed_under_full_load_on_postgres() {
    loses_nothing_when_it_is_killed_under_full_load(Backend::Postgres).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn told_to_stop_under_load_it_answers_all_that_it_took_and_exits_cleanly() {
    let (database, spool) = (Database::create(Backend::Postgres).await, Spool::new());
    for _ in 0..in_soak(20, 2) {
        let mut service = spool.serve(&database, &[]).await;
        let load = Load::start(&service.url, Pace::FULL);
        load.acknowledges(in_soak(2000, 200)).await;
        let asked = Instant::now();
        service.signal("TERM");
        assert!(service.ended().await.success(), "{}", service.log_text());
        tell(&format!("stopped within {:?}", asked.elapsed()));
        let traffic = load.stop().await;
        let log = service.log_text();
        assert!(!log.contains("at the deadline"), "{log}");
        // One line for each request that was taken.
        let taken = log.lines().filter(|line| line.contains("/callbacks/")).count();
        assert_eq!(
            taken,
            traffic.acknowledged(),
            "what it took, and what was acknowledged: {:?}",
            traffic.answers()
        );
        traffic.is_stored(&spool.serve(&database, &[]).await.url).await;
    }
}
