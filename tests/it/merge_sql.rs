//! What the database merges equals what Rust merges: any order, any batching, on both backends.

use std::{cell::Cell, collections::BTreeMap};

use dlr_receiver::{
    domain::{DeliveryReceipt, Message},
    storage::Store,
};
use proptest::{
    collection::vec,
    prelude::*,
    test_runner::{TestCaseError, TestRunner},
};
use tokio::runtime::Runtime;

use crate::support::{
    Backend, Database,
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
    for batch in batches(receipts, lengths) {
        store.record(batch).await.unwrap();
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
        let store = Store::connect(&config(&database, &[]).database).await.unwrap();
        store.migrate().await.unwrap();
        store
    });
    let config =
        ProptestConfig { cases: 100, failure_persistence: None, max_shrink_iters: 200, ..Default::default() };
    let round = Cell::new(0_u32);
    let mut runner = TestRunner::new(config);
    let outcome = runner.run(&case(), |(said, lengths)| {
        // Every run has messages of its own, and each case is about 40 messages: thousands in all.
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
