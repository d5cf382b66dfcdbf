//! A signed callback URL is valid for one recipient: what it says about anybody else's message is kept, and does not
//! count, whatever the order, the batches and the replicas.

use std::{cell::Cell, collections::BTreeMap};

use dlr_receiver::{
    access::Permit,
    domain::{Anomaly, Batch, DeliveryReceipt, Message},
    storage::Store,
};
use proptest::{
    collection::vec,
    prelude::*,
    sample::Index,
    strategy::ValueTree,
    test_runner::{TestCaseError, TestRunner},
};
use reqwest::Client;
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::support::{
    Answer, Backend, Cluster, DEADLINE, Database, Service,
    arbitrary::{Said, signed_or_not},
    config,
};

const SECRET: &str = "s1gn1ng-3cr3t-0f-acme";
const TOKEN: &str = "t0k-3cr3t-f1rst";
const SETTINGS: [(&str, &str); 2] =
    [("ACCOUNTS__ACME__SIGNING_SECRETS", SECRET), ("ACCOUNTS__ACME__CALLBACK_TOKENS", TOKEN)];
const X: &str = "+919812345671";
const Y: &str = "+919812345670";

/// Receipts of a few messages, another order of them, and how they are cut into batches.
type Case = (Vec<(Said, u8)>, Vec<Index>, Vec<usize>);

fn case() -> impl Strategy<Value = Case> {
    (vec((signed_or_not(), 0..6_u8), 1..40), vec(any::<Index>(), 40), vec(1..8_usize, 1..6))
}

/// Records receipts in this order, in batches of these lengths, by two writers in turn.
async fn record(store: &Store, mut receipts: &[&DeliveryReceipt], lengths: &[usize]) {
    let mut writers = [store.writer(DEADLINE), store.writer(DEADLINE)];
    for (turn, length) in lengths.iter().cycle().enumerate() {
        if receipts.is_empty() {
            break;
        }
        let (batch, rest) = receipts.split_at((*length).min(receipts.len()));
        writers[turn % 2].record(&Batch::of(batch.to_vec())).await.unwrap();
        receipts = rest;
    }
}

async fn check(
    store: &Store,
    receipts: &[DeliveryReceipt],
    (order, lengths): (&[Index], &[usize]),
) -> Result<(), TestCaseError> {
    let mut shuffled: Vec<&DeliveryReceipt> = receipts.iter().collect();
    for (at, index) in order.iter().enumerate().take(receipts.len()) {
        shuffled.swap(at, index.index(receipts.len()));
    }
    record(store, &shuffled, lengths).await;
    for expected in Message::of_batch(receipts) {
        let stored = store.messages(expected.sid.as_str()).await.unwrap();
        prop_assert_eq!(stored.len(), 1);
        prop_assert_eq!(&stored[0], &expected);
    }
    Ok(())
}

fn the_set_of_receipts_decides(backend: Backend) {
    let runtime = Runtime::new().unwrap();
    let database = runtime.block_on(Database::create(backend));
    let store = runtime.block_on(async {
        let store = Store::open(&config(&database, &[]).database).unwrap();
        store.migrate().await.unwrap();
        store
    });
    let config =
        ProptestConfig { cases: 300, failure_persistence: None, max_shrink_iters: 200, ..Default::default() };
    let round = Cell::new(0_u32);
    let outcome = TestRunner::new(config).run(&case(), |(said, order, lengths)| {
        round.set(round.get() + 1);
        let about = |(said, message): &(Said, u8)| said.about(&format!("{}-{message}", round.get()));
        let receipts: Vec<_> = said.iter().map(about).collect();
        runtime.block_on(check(&store, &receipts, (&order, &lengths)))
    });
    runtime.block_on(store.close());
    if let Err(error) = outcome {
        panic!("{error}");
    }
}

#[test]
fn the_set_of_receipts_decides_on_sqlite() {
    the_set_of_receipts_decides(Backend::Sqlite);
}

#[test]
fn the_set_of_receipts_decides_on_postgres() {
    the_set_of_receipts_decides(Backend::Postgres);
}

/// Replicas that write the same messages at the same time.
async fn replicas_agree(backend: Backend) {
    let database = Database::create(backend).await;
    let config = config(&database, &[]).database;
    let replicas = [Store::open(&config).unwrap(), Store::open(&config).unwrap()];
    replicas[0].migrate().await.unwrap();
    let mut runner = TestRunner::deterministic();
    let said = vec((signed_or_not(), 0..12_u8), 80).new_tree(&mut runner).unwrap().current();
    let receipts: Vec<_> =
        said.iter().map(|(said, message)| said.about(&format!("shared-{message}"))).collect();
    let writers = (0..4_usize).map(|writer| {
        let (replica, mut own) = (replicas[writer % 2].clone(), receipts.clone());
        own.rotate_left(writer * 31 % receipts.len());
        tokio::spawn(async move {
            record(&replica, &own.iter().collect::<Vec<_>>(), &[1 + writer, 5, 9]).await;
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    let mut disputed = 0;
    for expected in Message::of_batch(&receipts) {
        let stored = replicas[0].messages(expected.sid.as_str()).await.unwrap();
        assert_eq!(stored[0].outcome, expected.outcome, "{}", expected.sid);
        disputed += u32::from(expected.outcome.anomalies.contains(Anomaly::SignedForAnother));
    }
    assert!(disputed > 0, "no message is disputed");
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_agree_on_sqlite() {
    replicas_agree(Backend::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_agree_on_postgres() {
    replicas_agree(Backend::Postgres).await;
}

/// The path of a URL that is signed for a number.
fn signed_for(to: &str) -> String {
    let exp = (dlr_receiver::domain::Clock::System.now().timestamp() + 3600).to_string();
    let sig = Permit { account: "acme", to, exp: &exp }.sign(&SECRET.into());
    format!("acme?to={}&exp={exp}&sig={sig}&campaign_id={}", to.replace('+', "%2B"), &to[1..])
}

/// A callback: how its URL is authenticated, the number in it, and what became of the message.
#[derive(Clone, Copy)]
struct Told<'t> {
    path: &'t str,
    to: &'t str,
    code: &'t str,
}

async fn tell(service: &Service, sid: &str, Told { path, to, code }: Told<'_>) -> Value {
    let fields = [("SmsSid", sid), ("To", to), ("DetailedStatusCode", code), ("SmsUnits", &code[3..4])];
    let request = Client::new().post(format!("{}/callbacks/exotel/{path}", service.url)).form(&fields);
    let answer = Answer::of(request.send().await.unwrap()).await;
    assert_eq!(answer.status, 200, "{}", answer.json);
    answer.json["status"].clone()
}

async fn ask(service: &Service, path: &str) -> Value {
    Answer::of(reqwest::get(format!("{}{path}", service.url)).await.unwrap()).await.json
}

const FAILED: &str = "23010";
const DELIVERED: &str = "20005";

async fn forgeries_do_not_count(backend: Backend) {
    let database = Database::create(backend).await;
    let service = Service::start(&database, &SETTINGS).await;
    let (own, forged, token) = (signed_for(Y), signed_for(X), format!("acme/{TOKEN}"));
    let known = Told { path: &token, to: Y, code: FAILED };
    let signed = Told { path: &own, to: Y, code: FAILED };
    let forgery = Told { path: &forged, to: X, code: DELIVERED };
    // A number whose last four digits are those of the recipient.
    let twin = signed_for("+919800005670");
    let masked = Told { path: &twin, to: "0XXXXX5670", code: DELIVERED };
    for (sid, told, outcome) in [
        ("after", &[known, forgery][..], "failed"),
        ("before", &[forgery, known], "failed"),
        ("masked", &[known, masked], "failed"),
        ("masked-before", &[masked, signed, known], "failed"),
        ("between", &[signed, forgery, forgery, known, signed], "failed"),
        ("own", &[known, signed, Told { code: DELIVERED, ..signed }], "delivered"),
        ("nobody-knows", &[signed, forgery], "unknown"),
        ("nobody-knows-before", &[forgery, signed], "unknown"),
        ("settled", &[forgery, signed, known], "failed"),
    ] {
        for one in told {
            assert_eq!(tell(&service, sid, *one).await, "recorded");
        }
        let message = ask(&service, &format!("/messages/{sid}")).await;
        assert_eq!(
            (&message["outcome"], &message["callbacks"]),
            (&outcome.into(), &told.len().into()),
            "{sid}"
        );
        let anomalies = message["anomalies"].as_array().unwrap();
        let disputed = told.iter().any(|one| [&forged, &twin].map(|path| &**path).contains(&one.path));
        assert_eq!(anomalies.contains(&"signed_for_another".into()), disputed, "{sid}: {message}");
        if outcome == "failed" {
            assert_eq!((&message["to"], &message["sms_units"]), (&Y.into(), &1.into()), "{sid}");
            assert_ne!(message["labels"]["campaign_id"], X[1..], "{sid}");
        }
        let history = ask(&service, &format!("/messages/{sid}/callbacks")).await;
        for receipt in history["items"].as_array().unwrap() {
            let lost =
                receipt["signed_for"].is_string() && (outcome == "unknown" || receipt["signed_for"] != Y);
            assert_eq!(receipt["takes_part"], !lost, "{sid}: {receipt}");
        }
    }
    let flagged = ask(&service, "/messages?anomaly=signed_for_another").await;
    assert_eq!(flagged["items"].as_array().unwrap().len(), 8);
    let metrics = ask(&service, "/metrics").await;
    let counted = "dlr_receipts_excluded_total{account=\"acme\"} 14";
    assert!(metrics.as_str().unwrap().contains(counted), "{metrics}");
    service.has_logged("signed for another recipient").await;
    assert!(!service.log_text().contains(&X[3..]), "the log names a number");
}

#[tokio::test]
async fn forgeries_do_not_count_on_sqlite() {
    forgeries_do_not_count(Backend::Sqlite).await;
}

#[tokio::test]
async fn forgeries_do_not_count_on_postgres() {
    forgeries_do_not_count(Backend::Postgres).await;
}

#[tokio::test]
async fn a_spooled_forgery_does_not_count_either() {
    let mut cluster = Cluster::start_new().await;
    let database = cluster.database().await;
    let service = Service::start(&database, &SETTINGS).await;
    let (own, forged) = (signed_for(Y), signed_for(X));
    let forgery = Told { path: &forged, to: X, code: DELIVERED };
    cluster.stop_immediate();
    assert_eq!(tell(&service, "s1", forgery).await, "spooled");
    assert_eq!(tell(&service, "s1", Told { path: &own, to: Y, code: FAILED }).await, "spooled");
    let token = format!("acme/{TOKEN}");
    assert_eq!(tell(&service, "s1", Told { path: &token, to: Y, code: FAILED }).await, "spooled");
    cluster.start().await;
    let end = std::time::Instant::now() + DEADLINE;
    let message = loop {
        let message = ask(&service, "/messages/s1").await;
        if message["callbacks"] == 3 {
            break message;
        }
        assert!(std::time::Instant::now() < end, "it is not drained: {message}");
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    };
    assert_eq!((&message["outcome"], &message["to"]), (&"failed".into(), &Y.into()), "{message}");
}

/// What a message is, by sid.
async fn outcomes(service: &Service, sids: &[&str]) -> BTreeMap<String, Value> {
    let mut outcomes = BTreeMap::new();
    for sid in sids {
        let message = ask(service, &format!("/messages/{sid}")).await;
        outcomes.insert((*sid).to_owned(), message["outcome"].clone());
    }
    outcomes
}

async fn a_flood_of_forgeries_changes_nothing(backend: Backend) {
    let database = Database::create(backend).await;
    let service = Service::start(&database, &SETTINGS).await;
    let (forged, token) = (signed_for(X), format!("acme/{TOKEN}"));
    let known = Told { path: &token, to: Y, code: FAILED };
    tell(&service, "flooded", known).await;
    // More than are looked at again.
    for _ in 0..300 {
        tell(&service, "flooded", Told { path: &forged, to: X, code: DELIVERED }).await;
    }
    tell(&service, "flooded", known).await;
    let message = ask(&service, "/messages/flooded").await;
    assert_eq!((&message["outcome"], &message["callbacks"]), (&"failed".into(), &302.into()));
    assert_eq!(outcomes(&service, &["flooded"]).await["flooded"], "failed");
}

#[tokio::test]
async fn a_flood_of_forgeries_changes_nothing_on_sqlite() {
    a_flood_of_forgeries_changes_nothing(Backend::Sqlite).await;
}

#[tokio::test]
async fn a_flood_of_forgeries_changes_nothing_on_postgres() {
    a_flood_of_forgeries_changes_nothing(Backend::Postgres).await;
}

async fn an_erased_number_is_gone_from_signatures_too(backend: Backend) {
    let database = Database::create(backend).await;
    let service = Service::start(&database, &SETTINGS).await;
    let (own, forged, token) = (signed_for(Y), signed_for(X), format!("acme/{TOKEN}"));
    let signed = Told { path: &own, to: "0XXXXX5670", code: FAILED };
    let forgery = Told { path: &forged, to: X, code: DELIVERED };
    tell(&service, "own", signed).await;
    for told in [signed, forgery] {
        tell(&service, "disputed", told).await;
    }
    for told in [Told { path: &token, to: Y, code: FAILED }, signed, forgery] {
        tell(&service, "known", told).await;
    }
    let erase = Client::new().post(format!("{}/recipients/erase", service.url));
    let erased = Answer::of(erase.body(format!(r#"{{"recipient":"{Y}"}}"#)).send().await.unwrap()).await;
    assert_eq!((erased.status, &erased.json["messages"]), (200, &3.into()), "{}", erased.json);
    for (sid, outcome) in [("own", "failed"), ("disputed", "unknown"), ("known", "failed")] {
        let message = ask(&service, &format!("/messages/{sid}")).await;
        assert_eq!((&message["outcome"], &message["to"]), (&outcome.into(), &Value::Null), "{sid}");
        let history = ask(&service, &format!("/messages/{sid}/callbacks")).await;
        assert!(!history.to_string().contains(&Y[3..]), "{sid}: {history}");
    }
    // What comes later of the same URL counts, as it did.
    tell(&service, "own", signed).await;
    let message = ask(&service, "/messages/own").await;
    assert_eq!((&message["outcome"], &message["to"]), (&"failed".into(), &Y.into()), "{message}");
    tell(&service, "known", Told { path: &token, to: Y, code: FAILED }).await;
    assert_eq!(outcomes(&service, &["known"]).await["known"], "failed");
}

#[tokio::test]
async fn an_erased_number_is_gone_from_signatures_too_on_sqlite() {
    an_erased_number_is_gone_from_signatures_too(Backend::Sqlite).await;
}

#[tokio::test]
async fn an_erased_number_is_gone_from_signatures_too_on_postgres() {
    an_erased_number_is_gone_from_signatures_too(Backend::Postgres).await;
}
