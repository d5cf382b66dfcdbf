//! Two services on one Postgres, to which the same callbacks come in other orders, and more than once.

use std::time::{Duration, Instant};

use dlr_receiver::{
    domain::{Batch, Message},
    storage::Store,
};
use futures_util::{StreamExt, stream};
use proptest::{
    collection::vec,
    strategy::{Strategy, ValueTree},
    test_runner::TestRunner,
};
use rand::{SeedableRng, rngs::StdRng, seq::SliceRandom};
use sqlx::{Connection, PgConnection};
use tokio::time::sleep;

use super::{Spool, in_soak, tell};
use crate::support::{
    Backend, DEADLINE, Database, Service, Traffic,
    arbitrary::said,
    config,
    load::{FINAL, ON_THE_WAY, Sent, send},
};

/// How many deadlocks Postgres has had to break. Sessions report theirs at their end at the latest.
async fn deadlocks(database: &Database) -> i64 {
    let mut connection = PgConnection::connect(&database.url).await.unwrap();
    let sessions = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'dlr-receiver' \
                    AND datname = current_database()";
    let end = Instant::now() + DEADLINE;
    while sqlx::query_scalar::<_, i64>(sessions).fetch_one(&mut connection).await.unwrap() > 0 {
        assert!(Instant::now() < end, "there are still sessions");
        sleep(Duration::from_millis(20)).await;
    }
    let deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()";
    sqlx::query_scalar(deadlocks).fetch_one(&mut connection).await.unwrap()
}

/// Every callback twice, in an order of this replica's own.
async fn deliver(service: &Service, callbacks: &[(String, &'static str)], seed: u64) -> Vec<Sent> {
    let mut shuffled = [callbacks, callbacks].concat();
    shuffled.shuffle(&mut StdRng::seed_from_u64(seed));
    let http = reqwest::Client::new();
    let sent = stream::iter(shuffled).map(|callback| send(&http, &service.url, callback));
    sent.buffer_unordered(32).collect().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_agree_and_never_lock_each_other_out() {
    let (database, spools) = (Database::create(Backend::Postgres).await, [Spool::new(), Spool::new()]);
    let mut services = [spools[0].serve(&database, &[]).await, spools[1].serve(&database, &[]).await];
    let mut callbacks = Vec::new();
    for message in 0..in_soak(5000, 150) {
        for code in [ON_THE_WAY[0], ON_THE_WAY[1], FINAL[message % 2]] {
            callbacks.push((format!("shared-{message}"), code));
        }
    }
    let (one, other) =
        tokio::join!(deliver(&services[0], &callbacks, 1), deliver(&services[1], &callbacks, 2));
    let traffic = Traffic::new([one, other].concat());
    tell(&format!("two replicas: {:?}", traffic.answers()));
    traffic.was_all_acknowledged();
    for service in &services {
        traffic.is_stored(&service.url).await;
    }
    for service in &mut services {
        service.signal("TERM");
        assert!(service.ended().await.success());
        assert!(!service.log_text().contains("deadlock"), "{}", service.log_text());
    }
    assert_eq!(deadlocks(&database).await, 0);
}

/// Whole batches about the same messages, in opposite orders, at the same time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn batches_in_opposite_orders_do_not_deadlock() {
    let database = Database::create(Backend::Postgres).await;
    let config = config(&database, &[]).database;
    let replicas = [Store::open(&config).unwrap(), Store::open(&config).unwrap()];
    replicas[0].migrate().await.unwrap();
    let mut runner = TestRunner::deterministic();
    let said = vec(said(), 200).new_tree(&mut runner).unwrap().current();
    let receipts = said.iter().enumerate().map(|(number, said)| said.about(&format!("{}", number % 100)));
    let receipts: Vec<_> = receipts.collect();
    let rounds = in_soak(500, 25);
    let writers = (0..4_usize).map(|writer| {
        let (mut replica, mut own) = (replicas[writer % 2].writer(DEADLINE), receipts.clone());
        if writer % 2 == 1 {
            own.reverse();
        }
        tokio::spawn(async move {
            for _ in 0..rounds {
                replica.record(&Batch::of(own.iter().collect())).await.unwrap();
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    for expected in Message::of_batch(&receipts) {
        let stored = replicas[0].messages(expected.sid.as_str()).await.unwrap();
        assert_eq!(stored[0].outcome, expected.outcome);
        assert_eq!(stored[0].callbacks, expected.callbacks * 4 * rounds);
    }
    for replica in replicas {
        replica.close().await;
    }
    assert_eq!(deadlocks(&database).await, 0);
}
