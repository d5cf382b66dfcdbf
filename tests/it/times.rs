//! Times as callbacks and questions write them, and what stands in for times and codes that did not come.

use serde_json::{Value, json};

use crate::support::{Backend, Settings, TestApp, each_backend};

/// Spellings of `2025-01-15T05:00:00Z` in `DateSent` of an Indian account.
const SPELLINGS: [&str; 22] = [
    "2025-01-15 10:30:00",
    "2025-01-15 10:30",
    "2025-01-15T10:30:00",
    "2025-01-15t10:30:00",
    "2025-01-15 10:30:00 +0530",
    "2025-01-15 10:30:00 +05:30",
    "2025-01-15 10:30:00+0530",
    "2025-01-15 10:30:00+05:30",
    "2025-01-15T10:30:00+05:30",
    "2025-01-15T10:30:00 05:30",
    "2025-01-15 10:30:00 0530",
    "2025-01-15 10:30:00  0530",
    "2025-01-15 10:00:00 +05",
    "2025-01-15T05:00:00Z",
    "2025-01-15t05:00:00z",
    "2025-01-15 05:00:00 UTC",
    "2025-01-15 05:00:00 GMT",
    "2025-01-15 10:30:00 IST",
    "2025-01-15 10:30:00 +0530 IST",
    "Wed, 15 Jan 2025 10:30:00 +0530",
    "15 Jan 2025 05:00:00 GMT",
    "Wed, 15 Jan 2025 10:30:00",
];

/// What is no time, or could be several.
const NO_TIMES: [&str; 6] = [
    "2025-01-15",
    "2025-01-15 10:30:00 CET",
    "2025-01-15 10:30:00 PM",
    "2025-01-15 10:30:00 +0560",
    "Thu, 15 Jan 2025 10:30:00 +0530",
    "15/01/2025 10:30:00",
];

each_backend! {
    async fn a_time_has_many_spellings(app) {
        for (number, text) in SPELLINGS.iter().enumerate() {
            let sid = format!("s{number}");
            app.record(&[("SmsSid", &sid), ("Status", "sent"), ("DateSent", text)]).await;
            let message = app.message(&sid).await;
            assert_eq!((&message["sent_at"], &message["anomalies"]), (&json!("2025-01-15T05:00:00Z"), &json!([])), "{text}");
        }
        for (number, text) in NO_TIMES.iter().enumerate() {
            let sid = format!("n{number}");
            app.record(&[("SmsSid", &sid), ("Status", "sent"), ("DateSent", text)]).await;
            let message = app.message(&sid).await;
            assert_eq!((&message["sent_at"], &message["anomalies"]), (&Value::Null, &json!(["bad_time"])), "{text}");
        }
        // A plus that was not encoded.
        let body = "SmsSid=plus&Status=sent&DateSent=2025-01-15+10:30:00++0530";
        let form = app.request("POST", "/callbacks/exotel/default").header("content-type", "application/x-www-form-urlencoded");
        assert_eq!(form.body(body).send().await.unwrap().status(), 200);
        assert_eq!(app.message("plus").await["sent_at"], "2025-01-15T05:00:00Z");
    }

    async fn an_error_code_stands_in_for_a_code(app) {
        for (sid, code, expected, anomalies) in [
            ("known", "23050", json!(23050), json!([])),
            ("unknown", "999", json!(999), json!(["unknown_code"])),
            ("word", "EC_ABSENT", Value::Null, json!(["unknown_code"])),
            ("zero", "0", Value::Null, json!([])),
            ("zeroes", "000", Value::Null, json!([])),
            ("none", "None", Value::Null, json!([])),
            ("empty", "", Value::Null, json!([])),
        ] {
            app.record(&[("SmsSid", sid), ("Status", "failed"), ("ErrorCode", code)]).await;
            let message = app.message(sid).await;
            assert_eq!((&message["detailed_status_code"], &message["anomalies"]), (&expected, &anomalies), "{sid}");
            assert_eq!(message["outcome"], "failed", "{sid}");
        }
        assert_eq!(app.message("known").await["detailed_status"], "FAILED_EXPIRED");
        app.record(&[("SmsSid", "alone"), ("ErrorCode", "23050")]).await;
        app.record(&[("SmsSid", "both"), ("ExoStatusCode", "20005"), ("ErrorCode", "23050")]).await;
        assert_eq!(app.message("both").await["detailed_status_code"], 20005);
        assert_eq!(app.callback(&[("SmsSid", "mute"), ("ErrorCode", "0")]).await.status(), 422);
        let listed = app.ask("/messages?code=23050").await.json;
        assert_eq!(listed["items"].as_array().unwrap().len(), 2, "{listed}");
    }

    async fn the_time_of_a_delivery_merges_in_any_order(app) {
        let sent: &[_] = &[("DetailedStatusCode", "20005"), ("DateSent", "2025-01-15 10:30:01")];
        let delivered: &[_] = &[("DetailedStatusCode", "20005"), ("DeliveredAt", "2025-01-15T10:30:02+05:30")];
        let earlier: &[_] = &[("DetailedStatusCode", "20005"), ("delivered_at", "2025-01-15 10:29:59 IST")];
        let failed: &[_] = &[("DetailedStatusCode", "23050"), ("DeliveredAt", "2025-01-15 10:31:00")];
        for (sid, receipts, expected) in [
            ("a", vec![delivered], json!("2025-01-15T05:00:02Z")),
            ("b", vec![sent, delivered], json!("2025-01-15T05:00:02Z")),
            ("c", vec![delivered, sent], json!("2025-01-15T05:00:02Z")),
            ("d", vec![earlier, sent], json!("2025-01-15T05:00:01Z")),
            ("e", vec![sent, earlier, earlier], json!("2025-01-15T05:00:01Z")),
            ("f", vec![failed], Value::Null),
            ("g", vec![failed, delivered], json!("2025-01-15T05:00:02Z")),
        ] {
            for receipt in receipts {
                app.record(&[&[("SmsSid", sid)], receipt].concat()).await;
            }
            assert_eq!(app.message(sid).await["sent_at"], expected, "{sid}");
        }
    }

    async fn bounds_are_by_the_clock_of_the_account(app) {
        // 2025-01-15 10:30:00 in India.
        for (number, date) in ["2025-01-14 23:59:59", "2025-01-15 00:00:00", "2025-01-15 23:59:59", "2025-01-16 00:00:00"].iter().enumerate() {
            app.record(&[("SmsSid", &format!("s{number}")), ("Status", "sent"), ("DateSent", date)]).await;
        }
        for (query, sids) in [
            ("sent_from=2025-01-15", vec!["s3", "s2", "s1"]),
            ("sent_to=2025-01-15", vec!["s0"]),
            ("sent_from=2025-01-15&sent_to=2025-01-16", vec!["s2", "s1"]),
            ("sent_from=2025-01-15&sent_to=2025-01-16&account=default", vec!["s2", "s1"]),
            ("sent_from=2025-01-15T00:00:01", vec!["s3", "s2"]),
            ("sent_from=2025-01-15%2000:00:01", vec!["s3", "s2"]),
            ("sent_from=2025-01-15+00:00", vec!["s3", "s2", "s1"]),
            ("sent_from=2025-01-15T00:00:01%2B05:30", vec!["s3", "s2"]),
            ("sent_from=2025-01-15T00:00:01+05:30", vec!["s3", "s2"]),
            ("sent_from=2025-01-14T18:30:01Z", vec!["s3", "s2"]),
            ("sent_from=Wed,+15+Jan+2025+00:00:01+IST", vec!["s3", "s2"]),
            ("received_from=2025-01-15&received_to=2025-01-15T10:30:01", vec!["s3", "s2", "s1", "s0"]),
            ("received_to=2025-01-15+10:30:00", vec![]),
            ("received_from=2025-01-16", vec![]),
            ("received_from=1970-01-01&received_to=9999-12-31", vec!["s3", "s2", "s1", "s0"]),
        ] {
            let listed = app.ask(&format!("/messages?{query}")).await;
            assert_eq!(listed.status, 200, "{query}: {}", listed.json);
            let found: Vec<_> = listed.json["items"].as_array().unwrap().iter().map(|item| item["sid"].as_str().unwrap()).collect();
            assert_eq!(found, sids, "{query}");
            let counted = app.ask(&format!("/stats?{query}")).await.json["groups"].as_array().map_or(0, |groups| {
                groups.iter().map(|group| group["messages"].as_u64().unwrap()).sum()
            });
            assert_eq!(counted, sids.len() as u64, "{query}");
            let lines = app.request("GET", &format!("/messages/export?{query}")).send().await.unwrap().text().await.unwrap();
            assert_eq!(lines.lines().count(), sids.len(), "{query}");
        }
        let mut paged = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = app.ask(&format!("/messages?sent_from=2025-01-15&limit=1{cursor}")).await.json;
            paged.extend(page["items"].as_array().unwrap().iter().map(|item| item["sid"].clone()));
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert_eq!(paged, ["s3", "s2", "s1"], "pages of a window by a date");
        for bad in ["2025-13-01", "yesterday", "15/01/2025", "2025-01-15T25:00", "1969-12-31", "2025-01-15T10:00:00+CET"] {
            for bound in ["received_from", "received_to", "sent_from", "sent_to"] {
                let refused = app.ask(&format!("/messages?{bound}={bad}")).await;
                assert_eq!((refused.status, refused.problem()), (400, "invalid_parameter"), "{bad}");
                assert_eq!(refused.json["parameter"], bound);
            }
        }
        let same = app.ask("/messages?received_from=2025-01-15&received_to=2025-01-15").await;
        assert_eq!((same.status, &same.json["parameter"]), (400, &json!("received_to")));
        assert!(same.json["detail"].as_str().unwrap().contains("the next one begins"), "{}", same.json);
    }
}

/// Accounts of two zones, and one of a zone that is another name of the first's.
const ZONES: Settings<'static> = &[
    ("ACCOUNTS__ACME__CALLBACK_TOKENS", "t"),
    ("ACCOUNTS__OTHER__TIME_ZONE", "Asia/Calcutta"),
    ("ACCOUNTS__BERLIN__TIME_ZONE", "Europe/Berlin"),
];

async fn several_zones(backend: Backend) {
    let app = TestApp::with(backend, ZONES).await;
    for path in ["/messages", "/messages/export", "/stats"] {
        for query in [
            "received_from=2025-01-15",
            "sent_to=2025-01-15T10:00",
            "account=acme&account=berlin&sent_to=2025-01-15",
        ] {
            let refused = app.ask(&format!("{path}?{query}")).await;
            assert_eq!((refused.status, refused.problem()), (400, "invalid_parameter"), "{path}?{query}");
            let detail = refused.json["detail"].as_str().unwrap();
            assert!(detail.contains("different time zones") && detail.contains("with an offset"), "{detail}");
            assert!(query.contains(refused.json["parameter"].as_str().unwrap()), "{}", refused.json);
            assert!(
                refused.json["time_zones"].as_array().unwrap().contains(&json!("Europe/Berlin")),
                "{}",
                refused.json
            );
        }
        for query in [
            "account=berlin&received_from=2025-01-15",
            "received_from=2025-01-15&account=acme",
            "received_from=2025-01-15&account=acme&account=other",
            "received_from=2025-01-15T00:00:00Z",
            "received_from=2025-01-15+00:00:00+%2B0530",
        ] {
            assert_eq!(app.ask(&format!("{path}?{query}")).await.status, 200, "{path}?{query}");
        }
    }
    // The clock stands at 06:00 in Berlin; midnight there is 23:00 in UTC.
    let callback =
        app.request("POST", "/callbacks/exotel/berlin").form(&[("SmsSid", "b"), ("Status", "sent")]);
    assert_eq!(callback.send().await.unwrap().status(), 200);
    for (bound, found) in [("06:00", 1), ("06:01", 0)] {
        let listed =
            app.ask(&format!("/messages?account=berlin&received_from=2025-01-15T{bound}")).await.json;
        assert_eq!(listed["items"].as_array().unwrap().len(), found, "{bound}");
    }
}

#[tokio::test]
async fn accounts_of_several_zones_need_an_offset_on_sqlite() {
    several_zones(Backend::Sqlite).await;
}

#[tokio::test]
async fn accounts_of_several_zones_need_an_offset_on_postgres() {
    several_zones(Backend::Postgres).await;
}
