//! Forgetting a recipient: nothing of it can be found any more, and all counts stay.

use std::{
    num::NonZeroU64,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use dlr_receiver::{
    http::KeyDigest,
    storage::{SpoolFile, SpooledRequest, Undrainable},
};
use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::crash::tell;
use crate::support::{Answer, Backend, Database, Service, TestApp, each_backend};

const NUMBER: &str = "9812345670";

async fn post(app: &TestApp, path: &str, fields: &[(&str, &str)]) -> u16 {
    app.request("POST", path).form(fields).send().await.unwrap().status().as_u16()
}

/// Erases to the end. When that began is told, and left out of what is compared.
async fn erase(app: &TestApp, body: &Value) -> Answer {
    let mut answer =
        Answer::of(app.request("POST", "/recipients/erase").json(body).send().await.unwrap()).await;
    if answer.status == 200 {
        let erased = answer.json.as_object_mut().unwrap();
        assert_eq!(erased.remove("complete"), Some(json!(true)));
        assert_eq!(erased.remove("until"), Some(json!("2025-01-15T05:00:00Z")));
    }
    answer
}

/// A message of the number, with two receipts and all that can be said of somebody.
async fn tell_all(app: &TestApp, sid: &str) {
    let url = format!("/callbacks/exotel/default?phone={NUMBER}&team=x");
    for (to, code) in [("09812345670", "21020"), ("+919812345670", "20005")] {
        let fields = [
            ("SmsSid", sid),
            ("To", to),
            ("DetailedStatusCode", code),
            ("SmsUnits", "2"),
            ("CustomField", "Asha"),
            ("Name", "Asha"),
        ];
        assert_eq!(post(app, &url, &fields).await, 200);
    }
}

/// Everything that can be asked, as one text.
async fn everything(app: &TestApp, sids: &[&str]) -> String {
    let mut text = app.ask("/messages?limit=500").await.json.to_string();
    text += &app.ask("/rejected").await.json.to_string();
    for sid in sids {
        text += &app.ask(&format!("/messages/{sid}/callbacks")).await.json.to_string();
    }
    text
}

fn counts(messages: u64, receipts: u64, rejected: u64) -> Value {
    json!({"messages": messages, "receipts": receipts, "rejected": rejected, "quarantined": 0, "spooled": 0, "set_aside_files": 0})
}

each_backend! {
    async fn nothing_of_a_recipient_is_left_and_all_counts_stay(app) {
        tell_all(&app, "a").await;
        app.record(&[("SmsSid", "b"), ("To", "09812345671"), ("Status", "failed"), ("CustomField", "order-7")]).await;
        // A message that was reported for two recipients, of which this is not the one that is shown.
        for to in ["09812345670", "09812345679"] {
            app.record(&[("SmsSid", "two"), ("To", to), ("Status", "sent")]).await;
        }
        assert_eq!(app.callback(&[("To", "+91 98123-45670"), ("Body", "hello")]).await.status(), 422);
        assert_eq!(app.callback(&[("To", "09812345671")]).await.status(), 422);
        let sids = ["a", "b", "two"];
        let questions = ["/stats?group_by=outcome&group_by=code", "/stats?group_by=label:team", "/stats?group_by=day"];
        let mut before = Vec::new();
        for question in questions {
            before.push(app.ask(question).await.json);
        }
        let told = everything(&app, &sids).await;
        assert!(told.contains(NUMBER) && told.contains("Asha"), "{told}");

        let erased = erase(&app, &json!({"recipient": "0091 98123 45670"})).await;
        assert_eq!((erased.status, &erased.json), (200, &counts(2, 4, 1)));
        let left = everything(&app, &sids).await;
        for gone in [NUMBER, "98123-45670", "98123 45670", "Asha", "phone"] {
            assert!(!left.contains(gone), "{gone} is in {left}");
        }
        for (question, before) in questions.iter().zip(before) {
            assert_eq!(app.ask(question).await.json, before, "{question}");
        }
        let a = app.message("a").await;
        assert_eq!((&a["to"], &a["to_raw"], &a["custom_field"]), (&Value::Null, &Value::Null, &Value::Null));
        assert_eq!((&a["outcome"], &a["callbacks"], &a["labels"]), (&json!("delivered"), &json!(2), &json!({"team": "x"})));
        let receipt = &app.ask("/messages/a/callbacks").await.json["items"][1];
        assert_eq!(receipt["fields"], json!({"SmsSid": "a", "DetailedStatusCode": "20005", "SmsUnits": "2"}));
        assert_eq!(receipt["normalised"]["outcome"], "delivered");
        let b = app.message("b").await;
        assert_eq!((&b["to"], &b["custom_field"]), (&json!("+919812345671"), &json!("order-7")));
        assert_eq!(app.ask("/rejected").await.json["items"].as_array().unwrap().len(), 1);

        let again = erase(&app, &json!({"recipient": NUMBER})).await;
        assert_eq!(again.json, counts(0, 0, 0));
        // What comes later is stored as ever.
        tell_all(&app, "a").await;
        assert_eq!(app.message("a").await["to"], "+919812345670");
        assert_eq!(erase(&app, &json!({"recipient": NUMBER})).await.json, counts(1, 4, 0));
    }

    async fn many_messages_are_erased_step_by_step(app) {
        for number in 0..120 {
            let sid = format!("m{number}");
            app.record(&[("SmsSid", sid.as_str()), ("To", "09812345670"), ("Status", "sent")]).await;
        }
        for number in 0..60 {
            assert_eq!(app.callback(&[("n", &number.to_string()), ("To", NUMBER)]).await.status(), 422);
        }
        let erased = erase(&app, &json!({"recipient": NUMBER})).await;
        assert_eq!(erased.json, counts(120, 120, 60));
        assert!(!everything(&app, &["m0", "m119"]).await.contains(NUMBER));
    }

    async fn bad_requests_say_what_is_wrong(app) {
        for (body, status, names) in [
            (json!({"recipient": "+"}), 400, "recipient"),
            (json!({"recipient": ""}), 400, "recipient"),
            (json!({"recipient": NUMBER, "account": "a b"}), 400, "account"),
            (json!({"recipient": 9_812_345_670_u64}), 422, "recipient"),
            (json!({"recipient": NUMBER, "acount": "a"}), 422, "acount"),
            (json!({}), 422, "recipient"),
            (json!([]), 422, "recipient"),
        ] {
            let answer = erase(&app, &body).await;
            assert_eq!(answer.status, status, "{body}");
            let kind = if status == 400 { "invalid_parameter" } else { "malformed_body" };
            assert_eq!(answer.problem(), kind, "{body}");
            assert!(answer.json["detail"].as_str().unwrap().contains(names), "{body}: {}", answer.json);
        }
        let large = json!({"recipient": "9".repeat(3_000_000)});
        assert_eq!(erase(&app, &large).await.status, 413);
        assert_eq!(app.ask("/recipients/erase").await.status, 405);
    }
}

#[tokio::test]
async fn one_account_may_be_named() {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let settings = [("ACCOUNTS__A__COUNTRY", "IN"), ("ACCOUNTS__B__COUNTRY", "SG")];
        let app = TestApp::with(backend, &settings).await;
        for account in ["a", "b"] {
            let fields = [("SmsSid", "s"), ("To", "+919812345670"), ("Status", "sent")];
            assert_eq!(post(&app, &format!("/callbacks/exotel/{account}"), &fields).await, 200);
        }
        let erased = erase(&app, &json!({"recipient": "+919812345670", "account": "B"})).await;
        assert_eq!(erased.json, counts(1, 1, 0), "{backend:?}");
        let to =
            async |account: &str| app.ask(&format!("/messages/s?account={account}")).await.json["to"].clone();
        assert_eq!((to("a").await, to("b").await), (json!("+919812345670"), Value::Null));
    }
}

#[tokio::test]
async fn what_a_spool_has_set_aside_goes_too_and_what_waits_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("spool.db");
    let spool = SpoolFile::open(&path, NonZeroU64::new(1 << 20).unwrap()).await.unwrap();
    let request = |body: &str| SpooledRequest {
        id: 0,
        received_at: chrono::Utc::now(),
        account: "gone".into(),
        method: "POST".into(),
        content_type: None,
        content_encoding: None,
        query: String::new(),
        body: body.into(),
        signed_for: None,
        source: "callback".into(),
    };
    spool.append(&[request("SmsSid=a&To=%2B919812345670"), request("SmsSid=b&To=1")]).await.unwrap();
    spool.remove(2, &[1, 2].map(|id| Undrainable { id, reason: "no account".into() })).await.unwrap();
    let app = TestApp::with(Backend::Sqlite, &[("SPOOL__PATH", path.to_str().unwrap())]).await;
    let erased = erase(&app, &json!({"recipient": NUMBER})).await;
    assert_eq!((&erased.json["quarantined"], &erased.json["spooled"]), (&json!(1), &json!(0)));
    let again = erase(&app, &json!({"recipient": NUMBER})).await;
    assert_eq!(again.json["quarantined"], 0);
    // Another process drains the file, so that this one's callbacks wait.
    let _lock = spool.lock_for_draining().unwrap();
    spool.append(&[request("SmsSid=c&To=2")]).await.unwrap();
    assert_eq!(erase(&app, &json!({"recipient": NUMBER})).await.json["spooled"], 1);
}

#[tokio::test]
async fn only_an_admin_erases_and_the_log_does_not_say_whom() {
    let key = |name: &str, scope: &str| {
        let digest = KeyDigest::of(&format!("dlr_{name}"));
        format!("{{name = \"{name}\", sha256 = \"{digest}\", scopes = [\"{scope}\"]}}")
    };
    let keys = format!("[{}, {}, {}]", key("reader", "read"), key("writer", "write"), key("root", "admin"));
    let database = Database::create(Backend::Sqlite).await;
    let service = Service::start(
        &database,
        &[("AUTH__KEYS", &keys), ("LOG__FILTER", "trace,hyper=trace,sqlx=trace,tower_http=trace")],
    )
    .await;
    let url = format!("{}/recipients/erase", service.url);
    let ask = async |key: Option<&str>| {
        let request = reqwest::Client::new().post(&url).json(&json!({"recipient": NUMBER}));
        let request = if let Some(key) = key { request.bearer_auth(key) } else { request };
        Answer::of(request.send().await.unwrap()).await
    };
    assert_eq!(ask(None).await.problem(), "unauthorized");
    for key in ["dlr_reader", "dlr_writer"] {
        let refused = ask(Some(key)).await;
        assert_eq!((refused.status, refused.problem()), (403, "missing_scope"));
        assert_eq!(refused.json["scope"], "admin");
    }
    assert_eq!(ask(Some("dlr_root")).await.status, 200);
    service.has_logged("erased a recipient").await;
    assert!(!service.log_text().contains("12345670"), "{}", service.log_text());
}

/// The real binary, and its database, with `count` messages to the number, each with two receipts.
async fn besieged(backend: Backend, count: usize, settings: &[(&str, &str)]) -> (Database, Service) {
    let database = Database::create(backend).await;
    let service = Service::start(&database, &[&[("DATABASE__TIMEOUT_MS", "5000")], settings].concat()).await;
    let http = reqwest::Client::new();
    let sids: Vec<String> = (0..count).map(|number| format!("old{number}")).collect();
    for sids in sids.chunks(64) {
        let tell = |sid: &'_ String| tell_of_number(&http, &service.url, sid.clone());
        join_all(sids.iter().chain(sids).map(tell)).await;
    }
    (database, service)
}

async fn tell_of_number(http: &reqwest::Client, url: &str, sid: String) {
    let fields = [("SmsSid", &*sid), ("To", "+919812345670"), ("Status", "sent"), ("CustomField", "Asha")];
    let sent = http.post(format!("{url}/callbacks/exotel/default")).form(&fields).send().await.unwrap();
    assert_eq!(sent.status(), 200);
}

/// Callbacks about the number, as fast as they are answered: about new messages, and about one that is always the
/// same. Returns how many there were.
fn stream_of_callbacks(url: &str, stop: &Arc<AtomicBool>) -> Vec<JoinHandle<usize>> {
    let sender = |sender: usize| {
        let (url, stop) = (url.to_owned(), Arc::clone(stop));
        tokio::spawn(async move {
            let http = reqwest::Client::new();
            for number in 0.. {
                if stop.load(Relaxed) {
                    return number;
                }
                let sid =
                    if sender.is_multiple_of(4) { "hot".to_owned() } else { format!("new{sender}-{number}") };
                tell_of_number(&http, &url, sid).await;
            }
            0
        })
    };
    (0..8).map(sender).collect()
}

async fn ask_to_erase(service: &Service) -> (Value, Duration) {
    let began = Instant::now();
    let request = reqwest::Client::new().post(format!("{}/recipients/erase", service.url));
    let answer = Answer::of(request.json(&json!({"recipient": NUMBER})).send().await.unwrap()).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    (answer.json, began.elapsed())
}

/// How long erasing may take, with what a busy machine adds.
const LONGEST: Duration = Duration::from_secs(12);

async fn ends_under_a_stream(backend: Backend) {
    let count = 60;
    let (_database, service) = besieged(backend, count, &[("SPOOL__PATH", "")]).await;
    let stop = Arc::new(AtomicBool::new(false));
    let senders = stream_of_callbacks(&service.url, &stop);
    let (mut messages, mut asked) = (0, 0);
    loop {
        let (erased, took) = ask_to_erase(&service).await;
        assert!(took < LONGEST, "{took:?}: {erased}");
        assert!(erased["until"].as_str().unwrap() > "2026", "{erased}");
        assert!(erased["messages"].as_u64().unwrap() > 0, "it gets on: {erased}");
        (messages, asked) = (messages + erased["messages"].as_u64().unwrap(), asked + 1);
        tell(&format!("{backend:?}: {erased} after {took:?}"));
        if erased["complete"] == true {
            break;
        }
        assert!(asked < 40, "it does not end");
    }
    stop.store(true, Relaxed);
    let mut sent = 0;
    for sender in senders {
        sent += sender.await.unwrap();
    }
    tell(&format!("{backend:?}: {sent} callbacks meanwhile"));
    assert!(messages >= count as u64 && sent > 0, "{messages} messages, {sent} callbacks");
    // What was there before is gone; what came later is as it was told.
    let http = reqwest::Client::new();
    let message = async |sid: &str| -> Value {
        http.get(format!("{}/messages/{sid}", service.url)).send().await.unwrap().json().await.unwrap()
    };
    for number in 0..count {
        let old = message(&format!("old{number}")).await;
        assert_eq!(
            (&old["to"], &old["custom_field"], &old["callbacks"]),
            (&Value::Null, &Value::Null, &json!(2))
        );
    }
    tell_of_number(&http, &service.url, "hot".into()).await;
    assert_eq!(message("hot").await["to"], "+919812345670");
    // Alone it comes to the end of all.
    while ask_to_erase(&service).await.0["complete"] != true {}
    let left = http.get(format!("{}/messages?to=%2B91{NUMBER}", service.url)).send().await.unwrap();
    assert_eq!(left.json::<Value>().await.unwrap()["items"], json!([]));
    let receipts =
        http.get(format!("{}/messages/hot/callbacks?limit=500", service.url)).send().await.unwrap();
    assert!(!receipts.text().await.unwrap().contains(NUMBER));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn erasing_ends_under_a_stream_of_the_recipients_callbacks_on_sqlite() {
    ends_under_a_stream(Backend::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn erasing_ends_under_a_stream_of_the_recipients_callbacks_on_postgres() {
    ends_under_a_stream(Backend::Postgres).await;
}

/// A spool with tens of thousands of callbacks that another process keeps, and many that were set aside.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_filled_spool_is_told_and_holds_nobody_up() {
    const WAITING: usize = 20_000;
    const SET_ASIDE: u16 = 1_000;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("spool.db");
    let spool = SpoolFile::open(&path, NonZeroU64::new(1 << 30).unwrap()).await.unwrap();
    let request = |number: usize| SpooledRequest {
        id: 0,
        received_at: chrono::Utc::now(),
        account: "default".into(),
        method: "POST".into(),
        content_type: Some("application/x-www-form-urlencoded".into()),
        content_encoding: None,
        query: String::new(),
        // Every fourth one names the number.
        body: format!("SmsSid=s{number}&To=%2B9198123456{:02}&x={}", 70 + number % 4, "x".repeat(2000))
            .into(),
        signed_for: None,
        source: "callback".into(),
    };
    let fill = async |count: usize| {
        for numbers in (0..count).collect::<Vec<_>>().chunks(500) {
            let requests: Vec<_> = numbers.iter().map(|number| request(*number)).collect();
            spool.append(&requests).await.unwrap();
        }
    };
    fill(SET_ASIDE.into()).await;
    let ids = 1..=i64::from(SET_ASIDE);
    let undrainable: Vec<_> = ids.map(|id| Undrainable { id, reason: "no account".into() }).collect();
    spool.remove(i64::from(SET_ASIDE), &undrainable).await.unwrap();
    fill(WAITING).await;
    let _lock = spool.lock_for_draining().unwrap();
    let (_database, service) =
        besieged(Backend::Sqlite, 50, &[("SPOOL__PATH", path.to_str().unwrap())]).await;
    // Appends beside it, as of the process that has the lock.
    let appended = {
        let spool = spool.clone();
        let one = request(1);
        tokio::spawn(async move {
            let mut slowest = Duration::ZERO;
            for _ in 0..100 {
                let began = Instant::now();
                spool.append(std::slice::from_ref(&one)).await.unwrap();
                slowest = slowest.max(began.elapsed());
            }
            slowest
        })
    };
    let (erased, took) = ask_to_erase(&service).await;
    let slowest = appended.await.unwrap();
    tell(&format!(
        "beside {WAITING} spooled callbacks: {erased} after {took:?}; an append took {slowest:?} at most"
    ));
    assert!(took < LONGEST, "{took:?}");
    assert!(slowest < Duration::from_secs(2), "an append took {slowest:?}");
    assert_eq!((&erased["messages"], &erased["receipts"]), (&json!(50), &json!(100)), "{erased}");
    let spooled = erased["spooled"].as_u64().unwrap();
    assert!((WAITING as u64..=WAITING as u64 + 100).contains(&spooled), "{erased}");
    let (mut quarantined, mut last) = (erased["quarantined"].as_u64().unwrap(), erased);
    // A slow machine may need several turns for what was set aside.
    for _ in 0..10 {
        if last["complete"] == true {
            break;
        }
        last = ask_to_erase(&service).await.0;
        quarantined += last["quarantined"].as_u64().unwrap();
    }
    assert_eq!((&last["complete"], quarantined), (&json!(true), u64::from(SET_ASIDE) / 4), "{last}");
    assert_eq!(ask_to_erase(&service).await.0["quarantined"], 0);
}
