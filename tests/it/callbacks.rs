//! Receiving: every form a callback takes, and everything that is refused.

use reqwest::multipart;
use serde_json::{Value, json};

use crate::support::{Answer, Backend, TestApp, each_backend};

const FULL: [(&str, &str); 8] = [
    ("SmsSid", "0a1b"),
    ("To", "09812345670"),
    ("Status", "sent"),
    ("DetailedStatusCode", "20005"),
    ("DetailedStatus", "DELIVERED_TO_HANDSET"),
    ("SmsUnits", "2"),
    ("DateSent", "2025-01-15 10:30:00"),
    ("CustomField", "order 7; +91 / ü 'x'"),
];

/// What the full callback amounts to, but for what describes the log.
fn outcome(message: &Value) -> Value {
    let mut message = message.clone();
    for key in ["sid", "first_received_at", "last_received_at", "callbacks"] {
        message.as_object_mut().unwrap().remove(key);
    }
    message
}

fn with_sid(sid: &'static str) -> Vec<(&'static str, &'static str)> {
    FULL.iter().map(|&(key, value)| (key, if key == "SmsSid" { sid } else { value })).collect()
}

async fn post(app: &TestApp, content_type: &str, body: impl Into<reqwest::Body>) -> Answer {
    let request = app.request("POST", "/callbacks/exotel/default").header("content-type", content_type);
    Answer::of(request.body(body).send().await.unwrap()).await
}

each_backend! {
    async fn a_full_callback_is_recorded_and_answered(app) {
        let answer = Answer::of(app.callback(&FULL).await).await;
        assert_eq!((answer.status, answer.content_type.as_str()), (200, "application/json"));
        assert_eq!(answer.json, json!({"status": "recorded", "sid": "0a1b"}));
        insta::assert_json_snapshot!("full_message", app.message("0a1b").await);
        let receipts = app.ask("/messages/0a1b/callbacks").await.json;
        insta::assert_json_snapshot!("full_receipts", receipts, {".items[0].id" => "[id]"});
    }

    async fn every_encoding_says_the_same(app) {
        app.record(&with_sid("form")).await;
        let json: Value = with_sid("json").into_iter().map(|(k, v)| (k.to_owned(), json!(v))).collect::<serde_json::Map<_, _>>().into();
        assert_eq!(post(&app, "application/json; charset=utf-8", json.to_string()).await.status, 200);
        let snake = json!({"sms_sid": "snake", "to": "09812345670", "status": "SENT", "detailed_status_code": 20005,
            "detailed_status": "DELIVERED_TO_HANDSET", "sms_units": 2, "date_sent": "2025-01-15T10:30:00+05:30",
            "custom_field": FULL[7].1});
        assert_eq!(post(&app, "application/json", snake.to_string()).await.status, 200);
        let parts = with_sid("multipart").into_iter().fold(multipart::Form::new(), |form, (k, v)| form.text(k, v));
        let multipart = app.request("POST", "/callbacks/exotel/default").multipart(parts);
        assert_eq!(multipart.send().await.unwrap().status(), 200);
        let get = app.request("GET", "/callbacks/exotel/default").query(&with_sid("get"));
        assert_eq!(get.send().await.unwrap().status(), 200);
        let bare = serde_urlencoded::to_string(with_sid("bare")).unwrap();
        let untyped = app.request("POST", "/callbacks/exotel/default").body(bare);
        assert_eq!(untyped.send().await.unwrap().status(), 200, "no content type means a form");
        let wrapped: Vec<_> = with_sid("wrapped").into_iter().map(|(k, v)| (k, format!("['{v}']"))).collect();
        let wrapped: Vec<_> = wrapped.iter().map(|(k, v)| (*k, v.as_str())).collect();
        app.record(&wrapped).await;

        let expected = outcome(&app.message("form").await);
        for sid in ["json", "snake", "multipart", "get", "bare", "wrapped"] {
            assert_eq!(outcome(&app.message(sid).await), expected, "{sid}");
        }
    }

    async fn missing_fields_never_erase_known_ones(app) {
        app.record(&FULL).await;
        app.record(&[("SmsSid", "0a1b"), ("Status", "sent"), ("DateUpdated", "2025-01-15 10:31:00")]).await;
        app.record(&[("SmsSid", "0a1b"), ("Status", "queued"), ("SmsUnits", "null"), ("DateSent", "1970-01-01 05:30:00")]).await;
        let message = app.message("0a1b").await;
        assert_eq!((&message["outcome"], &message["sms_units"]), (&json!("delivered"), &json!(2)));
        assert_eq!((&message["to"], &message["to_raw"]), (&json!("+919812345670"), &json!("09812345670")));
        assert_eq!((&message["sent_at"], &message["callbacks"]), (&json!("2025-01-15T05:00:00Z"), &json!(3)));
        assert_eq!(message["anomalies"], json!([]));
    }

    async fn contradicting_finals_are_flagged_and_both_are_kept(app) {
        for (sid, codes, winner) in [
            ("op-then-fail", ["20006", "23040"], 23040),
            ("fail-then-op", ["23040", "20006"], 23040),
            ("fail-then-handset", ["23040", "20005"], 20005),
            ("handset-then-fail", ["20005", "23040"], 20005),
        ] {
            for code in codes {
                app.record(&[("SmsSid", sid), ("DetailedStatusCode", code)]).await;
            }
            let message = app.message(sid).await;
            assert_eq!(message["detailed_status_code"], winner, "{sid}");
            assert_eq!(message["anomalies"], json!(["conflicting_finals"]), "{sid}");
            let receipts = app.ask(&format!("/messages/{sid}/callbacks")).await.json;
            assert_eq!(receipts["items"].as_array().unwrap().len(), 2, "{sid}");
        }
        app.record(&[("SmsSid", "upgrade"), ("DetailedStatusCode", "20006")]).await;
        app.record(&[("SmsSid", "upgrade"), ("DetailedStatusCode", "20005")]).await;
        assert_eq!(app.message("upgrade").await["anomalies"], json!([]), "better evidence is no conflict");
    }

    async fn different_recipients_are_flagged_and_different_spellings_are_not(app) {
        for to in ["09812345670", "+919812345670", "919812345670"] {
            app.record(&[("SmsSid", "same"), ("Status", "sent"), ("To", to)]).await;
        }
        assert_eq!(app.message("same").await["anomalies"], json!([]));
        for to in ["+919812345670", "+919812345671"] {
            app.record(&[("SmsSid", "other"), ("Status", "sent"), ("To", to)]).await;
        }
        let other = app.message("other").await;
        assert_eq!(other["anomalies"], json!(["recipient_mismatch"]));
        assert_eq!(other["to"], "+919812345671", "the greatest in byte order");
    }

    async fn labels_come_from_the_query_and_are_joined(app) {
        let send = async |query: &str, code: &str| {
            let path = format!("/callbacks/exotel/default?{query}");
            let body = format!("SmsSid=labelled&DetailedStatusCode={code}&CampaignSid=camp-body");
            let form = app.request("POST", &path).header("content-type", "application/x-www-form-urlencoded");
            assert_eq!(form.body(body).send().await.unwrap().status(), 200);
        };
        send("campaign_id=diwali&template=otp%20v2&empty=&token=unused", "20006").await;
        send("template=alpha&region=south", "20005").await;
        let labels = &app.message("labelled").await["labels"];
        let expected = json!({"campaign_id": "diwali", "region": "south", "template": "otp v2"});
        assert_eq!(labels, &expected, "the union, and per key the greatest value");
        app.record(&[("SmsSid", "fed"), ("Status", "sent"), ("CampaignSid", "camp-body")]).await;
        assert_eq!(app.message("fed").await["labels"], json!({"campaign_id": "camp-body"}));
    }

    async fn a_get_loses_nothing_and_is_refused_as_a_post_is(app) {
        let long = "x".repeat(300);
        let get = async |query: &str| {
            let path = format!("/callbacks/exotel/default?{query}");
            Answer::of(app.request("GET", &path).send().await.unwrap()).await
        };
        let answer = get(&format!("SmsSid=get&Status=sent&campaign_id=diwali&Extra={long}&token=unused")).await;
        assert_eq!(answer.status, 200);
        let fields = &app.ask("/messages/get/callbacks").await.json["items"][0]["fields"];
        assert_eq!(fields, &json!({"SmsSid": "get", "Status": "sent", "campaign_id": "diwali", "Extra": long}));
        let message = app.message("get").await;
        assert_eq!(message["labels"], json!({"campaign_id": "diwali"}));
        assert_eq!(message["anomalies"], json!(["bad_label"]), "too long for a label, but not lost");
        let voice = get("CallSid=c1&From=0981&Status=completed&token=unused").await;
        assert_eq!((voice.status, &voice.json["resembles"]), (422, &json!("a voice callback")));
        assert_eq!(voice.json["received"], json!(["CallSid", "From", "Status"]));
    }

    async fn nul_and_broken_utf8_never_reach_the_database(app) {
        let form = "application/x-www-form-urlencoded";
        let body = "SmsSid=nul&Status=sent&CustomField=a%00b%FF&Ex%00tra=%00&To=%00";
        assert_eq!(post(&app, form, body).await.status, 200);
        let json = "{\"SmsSid\":\"nul\",\"Status\":\"sent\\u0000\",\"CustomField\":\"a\\u0000\\ud83d\",\"n\":{\"x\":\"\\u0000\"}}";
        assert_eq!(post(&app, "application/json", json).await.status, 200);
        assert_eq!(post(&app, "application/json", b"{\"SmsSid\":\"nul\",\"Status\":\"sent\",\"CustomField\":\"\xff\"}".to_vec()).await.status, 200);
        let message = app.message("nul").await;
        assert_eq!(message["custom_field"], "\u{FFFD}");
        assert_eq!(message["anomalies"], json!(["unknown_status", "bad_text", "bad_recipient"]));
        assert_eq!(app.ask("/messages/a%00b").await.problem(), "unknown_sid");
    }

    async fn a_known_field_that_contradicts_itself_is_refused_and_kept(app) {
        let form = "application/x-www-form-urlencoded";
        let answer = post(&app, form, "SmsSid=twice&Status=sent&status=failed").await;
        assert_eq!((answer.status, answer.problem()), (422, "not_a_status_callback"));
        assert!(answer.json["detail"].as_str().unwrap().contains("Status is given more than once"));
        assert_eq!(app.ask("/messages/twice").await.status, 404);
        assert_eq!(app.ask("/rejected").await.json["items"][0]["body"], "SmsSid=twice&Status=sent&status=failed");
        assert_eq!(post(&app, form, "SmsSid=twice&Status=sent&sms_sid=twice").await.status, 200);
    }
}

#[tokio::test]
async fn bodies_are_limited_by_length_and_by_chunks() {
    let app = TestApp::on(Backend::Sqlite).await;
    let form = "application/x-www-form-urlencoded";
    let body = |size: usize| {
        let head = "SmsSid=big&Status=sent&CustomField=";
        format!("{head}{}", "x".repeat(size - head.len()))
    };
    assert_eq!(post(&app, form, body(64 * 1024)).await.status, 200);
    let announced = post(&app, form, body(64 * 1024 + 1)).await;
    assert_eq!((announced.status, announced.problem()), (413, "body_too_large"));
    let chunks = |size: usize| {
        let chunks: Vec<_> =
            body(size).into_bytes().chunks(1000).map(|c| Ok::<_, std::io::Error>(c.to_vec())).collect();
        reqwest::Body::wrap_stream(futures_util::stream::iter(chunks))
    };
    assert_eq!(post(&app, form, chunks(64 * 1024)).await.status, 200);
    assert_eq!(post(&app, form, chunks(64 * 1024 + 1)).await.status, 413);
}

#[tokio::test]
async fn other_content_types_encodings_and_methods_are_refused() {
    let app = TestApp::on(Backend::Sqlite).await;
    let xml = post(&app, "text/xml", "<a/>").await;
    assert_eq!((xml.status, xml.problem()), (415, "unsupported_media_type"));
    let gzip = app.request("POST", "/callbacks/exotel/default").header("content-encoding", "gzip").body("x");
    let gzip = Answer::of(gzip.send().await.unwrap()).await;
    assert_eq!((gzip.status, gzip.problem()), (415, "unsupported_media_type"));
    let kept = app.ask("/rejected").await.json;
    let kept: Vec<_> =
        kept["items"].as_array().unwrap().iter().map(|item| item["body"].as_str().unwrap()).collect();
    assert_eq!(kept, ["x", "<a/>"], "nothing is lost");
    for method in ["PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"] {
        let path = "/callbacks/exotel/default?SmsSid=probe&Status=sent";
        let answer = Answer::of(app.request(method, path).send().await.unwrap()).await;
        assert_eq!(answer.status, 405, "{method}");
        assert_eq!(answer.headers["allow"], "GET,POST", "{method}");
    }
    assert_eq!(app.ask("/messages/probe").await.status, 404, "a probe is no callback");
}

#[tokio::test]
async fn a_refusal_names_what_is_missing_and_what_was_received() {
    let app = TestApp::on(Backend::Sqlite).await;
    let inbound = [("SmsSid", "in1"), ("From", "+919812345670"), ("Body", "YES")];
    let answer = Answer::of(app.callback(&inbound).await).await;
    assert_eq!(answer.problem(), "not_a_status_callback");
    insta::assert_json_snapshot!("inbound_sms_refused", answer.json);
    for (fields, missing) in [
        (vec![("Status", "sent")], json!(["SmsSid"])),
        (vec![("CallSid", "c1"), ("Status", "busy")], json!(["SmsSid"])),
        (vec![], json!(["SmsSid", "Status or DetailedStatusCode"])),
        (vec![("SmsSid[]", "s1"), ("Status", "sent")], json!(["SmsSid"])),
    ] {
        let answer = Answer::of(app.callback(&fields).await).await;
        assert_eq!((answer.status, &answer.json["missing"]), (422, &missing), "{fields:?}");
    }
    let many: Vec<(String, &str)> = (0..10_000).map(|i| (format!("k{i}"), "")).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|(k, v)| (k.as_str(), *v)).take(5000).collect();
    let answer = Answer::of(app.callback(&many).await).await;
    assert_eq!(answer.status, 422);
    assert!(answer.json["received"].as_array().unwrap().len() <= 40, "no echo of everything");
    let huge = "x".repeat(129);
    let answer = Answer::of(app.callback(&[("SmsSid", &huge), ("Status", "sent")]).await).await;
    assert!(answer.json["detail"].as_str().unwrap().contains("SmsSid has 129 characters"), "{}", answer.json);
}
