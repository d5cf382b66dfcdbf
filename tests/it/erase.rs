//! Forgetting a recipient: nothing of it can be found any more, and all counts stay.

use std::num::NonZeroU64;

use dlr_receiver::{
    http::KeyDigest,
    storage::{SpoolFile, SpooledRequest},
};
use serde_json::{Value, json};

use crate::support::{Answer, Backend, Database, Service, TestApp, each_backend};

const NUMBER: &str = "9812345670";

async fn post(app: &TestApp, path: &str, fields: &[(&str, &str)]) -> u16 {
    app.request("POST", path).form(fields).send().await.unwrap().status().as_u16()
}

async fn erase(app: &TestApp, body: &Value) -> Answer {
    Answer::of(app.request("POST", "/recipients/erase").json(body).send().await.unwrap()).await
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
            (json!({"recipient": "0XXXXX5670"}), 400, "recipient"),
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
    };
    spool.append(&[request("SmsSid=a&To=%2B919812345670"), request("SmsSid=b&To=1")]).await.unwrap();
    spool.remove(2, &[(1, "no account".into()), (2, "no account".into())]).await.unwrap();
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
    let service = Service::start(&database, &[("AUTH__KEYS", &keys), ("LOG__FILTER", "trace")]).await;
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
