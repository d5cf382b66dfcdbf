//! Receivers and their Postgres end and start again behind the load balancer. Whoever calls notices nothing.

use std::time::Duration;

use tokio::time::sleep;

use super::{Receiver, balancer::Balancer};
use crate::{
    crash::{in_soak, tell},
    support::{Backend, Cluster, Database, Load, Pace, Traffic},
};

/// Two receivers and a load balancer.
async fn replicas(database: &Database) -> ([Receiver; 2], Balancer) {
    let receivers = [Receiver::start(database).await, Receiver::start(database).await];
    let ports = [0, 1].map(|number: usize| (receivers[number].callbacks, receivers[number].questions));
    (receivers, Balancer::of_receivers(ports).await)
}

/// Nothing was refused, and everything is in the database, which is what each receiver answers from.
async fn nothing_was_noticed(what: &str, traffic: Traffic, receivers: &[Receiver; 2]) {
    tell(&format!("{what}: {:?}", traffic.answers()));
    traffic.was_all_acknowledged();
    for receiver in receivers {
        receiver.spool.is_drained().await;
        traffic.is_stored(&receiver.questions()).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rolling_restart_is_not_noticed() {
    let database = Database::create(Backend::Postgres).await;
    let (mut receivers, balancer) = replicas(&database).await;
    let load = Load::start(&balancer.url(), Pace::FULL);
    for _ in 0..in_soak(20, 1) {
        for number in [0, 1] {
            load.acknowledges(100).await;
            receivers[number].service.signal("TERM");
            assert!(receivers[number].service.ended().await.success());
            load.acknowledges(50).await;
            receivers[number].start_again(&database).await;
            balancer.sees(["UP", "UP"]).await;
        }
    }
    load.acknowledges(100).await;
    nothing_was_noticed("rolling restart", load.stop().await, &receivers).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receiver_that_is_killed_is_not_missed() {
    let database = Database::create(Backend::Postgres).await;
    let (mut receivers, balancer) = replicas(&database).await;
    let load = Load::start(&balancer.url(), Pace::FULL);
    for life in 0..in_soak(20, 2) {
        load.acknowledges(100).await;
        receivers[life % 2].service.signal("KILL");
        load.acknowledges(100).await;
        receivers[life % 2].start_again(&database).await;
        balancer.sees(["UP", "UP"]).await;
    }
    nothing_was_noticed("killed", load.stop().await, &receivers).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_of_postgres_is_not_noticed() {
    let mut cluster = Cluster::start_new().await;
    let database = cluster.database().await;
    let (receivers, balancer) = replicas(&database).await;
    let load = Load::start(&balancer.url(), Pace::STEADY);
    for _ in 0..in_soak(20, 1) {
        load.acknowledges(100).await;
        cluster.stop_immediate();
        sleep(Duration::from_secs(in_soak(5, 1))).await;
        // Both are ready, since their spools are.
        load.acknowledges(50).await;
        balancer.sees(["UP", "UP"]).await;
        cluster.start().await;
    }
    load.acknowledges(100).await;
    let traffic = load.stop().await;
    assert!(traffic.spooled() > 0, "{:?}", traffic.answers());
    nothing_was_noticed("Postgres restarted", traffic, &receivers).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_postgres_that_hangs_is_not_noticed() {
    let mut cluster = Cluster::start_new().await;
    let database = cluster.database().await;
    let (receivers, balancer) = replicas(&database).await;
    let load = Load::start(&balancer.url(), Pace::STEADY);
    for _ in 0..in_soak(10, 1) {
        load.acknowledges(100).await;
        cluster.freeze();
        sleep(Duration::from_secs(in_soak(15, 5))).await;
        balancer.sees(["UP", "UP"]).await;
        cluster.thaw();
        load.acknowledges(100).await;
    }
    let traffic = load.stop().await;
    assert!(traffic.spooled() > 0, "{:?}", traffic.answers());
    nothing_was_noticed("Postgres hung", traffic, &receivers).await;
}
