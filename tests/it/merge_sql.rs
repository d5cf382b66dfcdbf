//! What the database merges equals what Rust merges: any order, any batching, on both backends.

use std::{cell::Cell, collections::BTreeMap};

use dlr_receiver::{
    domain::{Batch, DeliveryReceipt, Message},
    storage::Store,
};
use proptest::{
    collection::vec,
    prelude::*,
    strategy::ValueTree,
    test_runner::{TestCaseError, TestRunner},
};
use tokio::runtime::Runtime;

use crate::support::{
    Backend, DEADLINE, Database,
    arbitrary::{Said, said},
    config,
};

/// Receipts, each of one of many messages, in the order of arrival, and where batches are cut.
type Case = (Vec<(Said, u8)>, Vec<usize>);

fn case() -> impl Strategy<Value = Case> {
    (vec((said(), 0..40_u8), 1..160), vec(1..40_usize, 1..12))
}

/// Cuts `receipts` into batches of these lengths, over and over.
fn batches<'r>(receipts: &'r [DeliveryReceipt], lengths: &[usize]) -> Vec<&'r [DeliveryReceipt]> {
    let (mut rest, mut cut) = (receipts, Vec::new());
    for length in lengths.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (batch, later) = rest.split_at((*length).min(rest.len()));
        cut.push(batch);
        rest = later;
    }
    cut
}

async fn check(
    store: &Store,
    (receipts, lengths): (&[DeliveryReceipt], &[usize]),
) -> Result<(), TestCaseError> {
    let mut writer = store.writer(DEADLINE);
    for batch in batches(receipts, lengths) {
        writer.record(&Batch::of(batch.iter().collect())).await.unwrap();
    }
    let expected: BTreeMap<_, _> =
        Message::of_batch(receipts).into_iter().map(|message| (message.sid.to_string(), message)).collect();
    for (sid, message) in expected {
        let stored = store.messages(&sid).await.unwrap();
        prop_assert_eq!(stored.len(), 1);
        prop_assert_eq!(&stored[0], &message);
    }
    Ok(())
}

fn sql_merges_as_rust_does(backend: Backend) {
    let runtime = Runtime::new().unwrap();
    let database = runtime.block_on(Database::create(backend));
    let store = runtime.block_on(async {
        let store = Store::open(&config(&database, &[]).database).unwrap();
        store.migrate().await.unwrap();
        store
    });
    let config =
        ProptestConfig { cases: 200, failure_persistence: None, max_shrink_iters: 200, ..Default::default() };
    let round = Cell::new(0_u32);
    let mut runner = TestRunner::new(config);
    let outcome = runner.run(&case(), |(said, lengths)| {
        // Every case has messages of its own, about 35: 7,000 in all.
        round.set(round.get() + 1);
        let about = |(said, message): &(Said, u8)| said.about(&format!("{}-{message}", round.get()));
        let receipts: Vec<_> = said.iter().map(about).collect();
        runtime.block_on(check(&store, (&receipts, &lengths)))
    });
    runtime.block_on(store.close());
    if let Err(error) = outcome {
        panic!("{error}");
    }
}

#[test]
fn sqlite_merges_as_rust_does() {
    sql_merges_as_rust_does(Backend::Sqlite);
}

#[test]
fn postgres_merges_as_rust_does() {
    sql_merges_as_rust_does(Backend::Postgres);
}

/// Writers that share messages, each with the same receipts in an order and batching of its own.
async fn concurrent_writers_agree(backend: Backend) {
    let database = Database::create(backend).await;
    let config = config(&database, &[]).database;
    // Two replicas: a store of its own each.
    let replicas = [Store::open(&config).unwrap(), Store::open(&config).unwrap()];
    replicas[0].migrate().await.unwrap();
    let mut runner = TestRunner::deterministic();
    let said = vec((said(), 0..10_u8), 200).new_tree(&mut runner).unwrap().current();
    let receipts: Vec<_> =
        said.iter().map(|(said, message)| said.about(&format!("shared-{message}"))).collect();

    let writers = (0..6_usize).map(|writer| {
        let (mut replica, mut own) = (replicas[writer % 2].writer(DEADLINE), receipts.clone());
        let turn = writer * 31 % own.len();
        own.rotate_left(turn);
        tokio::spawn(async move {
            for batch in batches(&own, &[1 + writer, 7, 20]) {
                replica.record(&Batch::of(batch.iter().collect())).await.unwrap();
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    for expected in Message::of_batch(&receipts) {
        let stored = replicas[0].messages(expected.sid.as_str()).await.unwrap();
        assert_eq!(stored[0].outcome, expected.outcome);
        assert_eq!(stored[0].callbacks, expected.callbacks * 6, "every receipt is counted, repeats too");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_writers_agree_on_sqlite() {
    concurrent_writers_agree(Backend::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_writers_agree_on_postgres() {
    concurrent_writers_agree(Backend::Postgres).await;
}
