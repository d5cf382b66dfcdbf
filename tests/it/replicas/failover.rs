//! A primary is killed, its standby takes its place, and haproxy moves the connections.

use std::time::{Duration, Instant};

use sqlx::{Connection, PgConnection};
use tokio::time::sleep;

use super::balancer::Balancer;
use crate::{
    crash::{Spool, tell},
    support::{Cluster, DEADLINE, Database, Load, Pace},
};

/// Waits until commits on `primary` wait for a standby.
async fn is_followed(primary: &Cluster) {
    let mut connection = PgConnection::connect(&primary.url()).await.unwrap();
    let state = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync' AND state = 'streaming'";
    let end = Instant::now() + DEADLINE;
    while sqlx::query_scalar::<_, i64>(state).fetch_one(&mut connection).await.unwrap() == 0 {
        assert!(Instant::now() < end, "nobody follows the primary");
        sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_when_a_standby_takes_over() {
    let mut primary = Cluster::start_with(&["synchronous_standby_names=one"]).await;
    let mut admin = PgConnection::connect(&primary.url()).await.unwrap();
    // Before there is a standby, nobody waits for it.
    let role = "SET synchronous_commit = local; CREATE ROLE haproxy LOGIN; CREATE DATABASE dlr";
    for statement in role.split("; ") {
        sqlx::raw_sql(statement).execute(&mut admin).await.unwrap();
    }
    admin.close().await.unwrap();
    let standby = primary.standby("one").await;
    is_followed(&primary).await;
    let balancer = Balancer::of_postgres([primary.port, standby.port]).await;
    balancer.sees(["UP", "DOWN"]).await;
    let (spool, url) = (Spool::new(), format!("postgres://dlr@127.0.0.1:{}/dlr", balancer.port()));
    let database = Database::at(&url);
    let service = spool.serve(&database, &[]).await;
    let load = Load::start(&service.url, Pace::FULL);
    load.acknowledges(500).await;
    let killed = Instant::now();
    primary.kill();
    load.acknowledges(100).await;
    standby.promote();
    balancer.sees(["DOWN", "UP"]).await;
    spool.is_drained().await;
    let over = killed.elapsed();
    load.acknowledges(100).await;
    let traffic = load.stop().await;
    tell(&format!("failover within {over:?}: {:?}", traffic.answers()));
    traffic.was_all_acknowledged();
    assert!(traffic.spooled() > 0, "{:?}", traffic.answers());
    traffic.is_stored(&service.url).await;
}
