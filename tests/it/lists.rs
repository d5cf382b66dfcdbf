//! Lists of messages: filters, pages, and many at once.

use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicUsize, Ordering},
};

use proptest::{
    collection::vec,
    prelude::*,
    test_runner::{RngAlgorithm, TestRng, TestRunner},
};
use serde_json::{Value, json};

use crate::support::{Backend, NOW_MICROS, TestApp, each_backend};

/// The sids of a list, in its order.
async fn sids(app: &TestApp, query: &str) -> Vec<String> {
    let answer = app.ask(&format!("/messages?{query}")).await;
    assert_eq!(answer.status, 200, "{query}: {}", answer.json);
    let sid = |item: &Value| item["sid"].as_str().unwrap().to_owned();
    answer.json["items"].as_array().unwrap().iter().map(sid).collect()
}

/// The problem that a query is.
async fn refused(app: &TestApp, query: &str) -> Value {
    let answer = app.ask(&format!("/messages?{query}")).await;
    assert_eq!((answer.status, answer.problem()), (400, "invalid_parameter"), "{query}");
    answer.json
}

/// Sets the clock to so many seconds after its start.
fn at(app: &TestApp, seconds: i64) {
    app.clock.store(NOW_MICROS + seconds * 1_000_000, Ordering::Relaxed);
}

/// A delivered, a failed, a pending and a strange message, ten seconds apart.
async fn four_messages(app: &TestApp) {
    at(app, 0);
    let labels =
        [("SmsSid", "d"), ("Status", "sent"), ("DetailedStatusCode", "20005"), ("To", "09812345670")];
    let url = "/callbacks/exotel/default?campaign_id=diwali&team=a%22b";
    app.request("POST", url).form(&labels).send().await.unwrap().error_for_status().unwrap();
    at(app, 10);
    app.record(&[
        ("SmsSid", "f"),
        ("Status", "failed"),
        ("DetailedStatusCode", "23082"),
        ("To", "09812345671"),
        ("CustomField", "order-7"),
        ("DateSent", "2025-01-15 10:30:05"),
    ])
    .await;
    at(app, 20);
    app.record(&[
        ("SmsSid", "p"),
        ("Status", "submitted"),
        ("DetailedStatusCode", "21020"),
        ("To", "0XXXXX30240"),
    ])
    .await;
    at(app, 30);
    app.record(&[("SmsSid", "u"), ("Status", "lost in space"), ("CampaignSid", "holi")]).await;
}

each_backend! {
    async fn every_filter_finds_what_it_asks_for(app) {
        four_messages(&app).await;
        for (query, expected) in [
            ("", &["u", "p", "f", "d"][..]),
            ("account=default", &["u", "p", "f", "d"]),
            ("account=Default&account=other", &["u", "p", "f", "d"]),
            ("account=other", &[]),
            ("to=%2B919812345670", &["d"]),
            ("to=+919812345670", &["d"]),
            ("to=9812345670&to=0091-98123-45671", &["f", "d"]),
            ("to=0XXXXX30240", &["p"]),
            ("to=0XXXXX30240&to=09812345670", &["p", "d"]),
            ("to=09812345679", &[]),
            ("outcome=failed", &["f"]),
            ("outcome=failed&outcome=delivered", &["f", "d"]),
            ("outcome=pending&outcome=unknown", &["u", "p"]),
            ("status=submitted", &["p"]),
            ("status=failed_dnd", &[]),
            ("code=23082", &["f"]),
            ("code=20005&code=21020", &["p", "d"]),
            ("category=compliance", &["f"]),
            ("retry=wait&retry=none", &["p", "d"]),
            ("label=campaign_id:diwali", &["d"]),
            ("label=campaign_id:diwali&label=campaign_id:holi", &["u", "d"]),
            ("label=team:a%22b", &["d"]),
            ("label=team:a%22b&label=team:c", &["d"]),
            ("label=team:a%22b&label=campaign_id:holi", &[]),
            ("anomaly=unknown_status", &["u"]),
            ("anomaly=unknown_status&anomaly=bad_time", &["u"]),
            ("custom_field=order-7", &["f"]),
            ("received_from=2025-01-15T05:00:10Z&received_to=2025-01-15T05:00:30Z", &["p", "f"]),
            ("received_from=2025-01-15T10:30:20%2B05:30", &["u", "p"]),
            ("received_from=2025-01-15T10:30:20+05:30", &["u", "p"]),
            ("sent_from=2025-01-15T05:00:05Z&sent_to=2025-01-15T05:00:06Z", &["f"]),
            ("older_than=15s", &["f", "d"]),
            ("older_than=15s&received_to=2025-01-15T05:00:10Z", &["d"]),
            ("outcome=failed&category=compliance&code=23082&to=9812345671&custom_field=order-7", &["f"]),
            ("outcome=failed&category=handset", &[]),
            ("limit=2", &["u", "p"]),
        ] {
            assert_eq!(sids(&app, query).await, expected, "{query}");
        }
        let item = &app.ask("/messages?outcome=failed").await.json["items"][0];
        assert_eq!(*item, app.message("f").await, "a list shows what the message alone shows");
    }

    async fn what_no_filter_understands_is_named(app) {
        for (query, parameter, allowed) in [
            ("outcome=lost", "outcome", "delivered, failed, pending, unknown"),
            ("outcome=", "outcome", "empty"),
            ("status=delivered", "status", "queued, sending, submitted, sent, failed, failed-dnd"),
            ("category=x", "category", "compliance, content"),
            ("retry=x", "retry", "after_fix"),
            ("anomaly=x", "anomaly", "conflicting_finals"),
            ("code=abc", "code", "whole number"),
            ("label=diwali", "label", "NAME:VALUE"),
            ("account=a/b", "account", "64 characters"),
            ("received_from=yesterday", "received_from", "RFC 3339"),
            ("sent_to=2025-13-15", "sent_to", "RFC 3339"),
            ("sent_to=0001-01-01T00:00:00Z", "sent_to", "1970"),
            ("older_than=soon", "older_than", "duration"),
            ("older_than=1h&older_than=2h", "older_than", "more than once"),
            ("received_from=2025-01-15T05:00:10Z&received_to=2025-01-15T05:00:10Z", "received_to", "later than `received_from`"),
            ("custom_field=a%00b", "custom_field", "NUL"),
            ("limit=501", "limit", "1 to 500"),
            ("limit=0", "limit", "1 to 500"),
            ("limit=5&limit=6", "limit", "more than once"),
            ("cursor=abc", "cursor", "no cursor"),
            ("outcom=failed", "outcom", "outcome"),
        ] {
            let problem = refused(&app, query).await;
            assert_eq!(problem["parameter"], parameter, "{query}");
            assert!(problem["detail"].as_str().unwrap().contains(allowed), "{query}: {problem}");
        }
        let problem = refused(&app, "outcome=lost").await;
        assert_eq!(problem["allowed"], json!(["delivered", "failed", "pending", "unknown"]));
    }

    async fn a_changed_cursor_is_refused(app) {
        four_messages(&app).await;
        let page = app.ask("/messages?limit=1").await.json;
        let cursor = page["next_cursor"].as_str().unwrap();
        assert_eq!(sids(&app, &format!("limit=1&cursor={cursor}")).await, ["p"]);
        let first = if cursor.starts_with('A') { "B" } else { "A" };
        refused(&app, &format!("cursor={first}{}", &cursor[1..])).await;
        refused(&app, &format!("cursor={}", &cursor[..cursor.len() - 1])).await;
        assert_eq!(app.ask("/messages?limit=4").await.json["next_cursor"], json!(null));
    }

    async fn many_sids_are_looked_up_at_once(app) {
        four_messages(&app).await;
        let ask = async |body: String| {
            let request = app.request("POST", "/messages/lookup").body(body);
            crate::support::Answer::of(request.send().await.unwrap()).await
        };
        let answer = ask(json!({"sids": ["f", "nobody", "d", "f", "a\u{0}b"]}).to_string()).await;
        assert_eq!(answer.status, 200);
        let found: Vec<_> = answer.json["found"].as_array().unwrap().iter().map(|found| found["sid"].as_str().unwrap()).collect();
        assert_eq!((found, &answer.json["missing"]), (vec!["d", "f"], &json!(["a\u{0}b", "nobody"])));
        assert_eq!(answer.json["found"][0], app.message("d").await);
        assert_eq!(ask("{\"sids\": []}".into()).await.json, json!({"found": [], "missing": []}));
        let thousand: BTreeSet<_> = (0..1000).map(|number| format!("s{number}")).collect();
        assert_eq!(ask(json!({"sids": thousand}).to_string()).await.json["missing"].as_array().unwrap().len(), 1000);
        let too_many: Vec<_> = (0..1001).map(|number| format!("s{number}")).collect();
        let answer = ask(json!({"sids": too_many}).to_string()).await;
        assert_eq!((answer.status, answer.json["parameter"].as_str()), (400, Some("sids")));
        for body in ["", "[]", "{}", "{\"sids\": 1}", "{\"sids\": [1]}", "{\"sid\": [\"a\"]}", "{\"sids\": []} x"] {
            let answer = ask(body.into()).await;
            assert_eq!((answer.status, answer.problem()), (422, "malformed_body"), "{body}");
        }
        assert_eq!(ask(" ".repeat(3 << 20)).await.problem(), "body_too_large");
        assert_eq!(app.ask("/messages/lookup").await.problem(), "method_not_allowed");
    }
}

/// What happens between two pages.
#[derive(Clone, Debug)]
enum Arrival {
    /// A message that nobody has heard of, received so many seconds after the start.
    New(i64),
    /// A further receipt of one of the first messages.
    Again(usize),
}

fn arrivals() -> impl Strategy<Value = Vec<Vec<Arrival>>> {
    let arrival = prop_oneof![(0..40_i64).prop_map(Arrival::New), (0..30_usize).prop_map(Arrival::Again)];
    vec(vec(arrival, 0..4), 30)
}

/// Pages through messages of a team of its own while others arrive, before, between and behind them.
async fn page_through(app: &TestApp, (times, limit, arrivals): (&[i64], usize, &[Vec<Arrival>])) {
    static TEAMS: AtomicUsize = AtomicUsize::new(0);
    let team = TEAMS.fetch_add(1, Ordering::Relaxed);
    let record = async |name: String, second: i64| {
        at(app, second);
        let url = format!("/callbacks/exotel/default?team={team}");
        let sent = app.request("POST", &url).form(&[("SmsSid", name), ("Status", "sent".into())]).send();
        sent.await.unwrap().error_for_status().unwrap();
    };
    for (number, second) in times.iter().enumerate() {
        record(format!("{team}-first-{number}"), *second).await;
    }
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    for (page, arriving) in arrivals.iter().chain(std::iter::repeat(&Vec::new())).enumerate() {
        let page_query = format!("/messages?label=team:{team}&limit={limit}{cursor}");
        let answer = app.ask(&page_query).await.json;
        let items = answer["items"].as_array().unwrap();
        seen.extend(items.iter().map(|item| item["sid"].as_str().unwrap().to_owned()));
        match answer["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
        for (number, arrival) in arriving.iter().enumerate() {
            match arrival {
                Arrival::New(second) => record(format!("{team}-{page}-{number}"), *second).await,
                Arrival::Again(first) => record(format!("{team}-first-{}", first % times.len()), 50).await,
            }
        }
    }
    let distinct: BTreeSet<_> = seen.iter().collect();
    assert_eq!(distinct.len(), seen.len(), "a message is listed twice: {seen:?}");
    let first: Vec<_> = seen.iter().filter(|sid| sid.contains("first")).collect();
    assert_eq!(first.len(), times.len(), "a message is missing: {seen:?}");
}

fn pages_are_complete_and_without_repeats(backend: Backend) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let app = runtime.block_on(TestApp::on(backend));
    let mut runner = TestRunner::new_with_rng(
        ProptestConfig::with_cases(24),
        TestRng::deterministic_rng(RngAlgorithm::ChaCha),
    );
    // Several share a second, so that the cursor has to tell them apart.
    let case = (vec(0..12_i64, 1..30), 1..9_usize, arrivals());
    let run = |(times, limit, arrivals): (Vec<i64>, usize, Vec<Vec<Arrival>>)| {
        runtime.block_on(page_through(&app, (&times, limit, &arrivals)));
        Ok(())
    };
    runner.run(&case, run).unwrap();
}

#[test]
fn pages_are_complete_and_without_repeats_while_messages_arrive_on_sqlite() {
    pages_are_complete_and_without_repeats(Backend::Sqlite);
}

#[test]
fn pages_are_complete_and_without_repeats_while_messages_arrive_on_postgres() {
    pages_are_complete_and_without_repeats(Backend::Postgres);
}
