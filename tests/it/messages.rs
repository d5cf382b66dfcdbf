//! Asking about one message.

use serde_json::json;

use crate::support::{TestApp, each_backend};

each_backend! {
    async fn an_unknown_sid_is_404(app) {
        for path in ["/messages/nobody", "/messages/nobody/callbacks", "/messages/%27%20OR%201=1--", "/messages/..%2F.."] {
            let answer = app.ask(path).await;
            assert_eq!((answer.status, answer.problem()), (404, "unknown_sid"), "{path}");
        }
        assert_eq!(app.ask("/messages/%FF").await.problem(), "invalid_parameter");
        assert_eq!(app.ask("/nowhere").await.problem(), "unknown_route");
    }

    async fn any_sid_can_be_asked_for(app) {
        for (sid, path) in [("a/b", "a%2Fb"), ("../x", "..%2Fx"), ("sid?x=1", "sid%3Fx%3D1"), ("ü 1", "%C3%BC%201"), ("'; DROP TABLE messages;--", "%27%3B%20DROP%20TABLE%20messages%3B--")] {
            app.record(&[("SmsSid", sid), ("Status", "sent")]).await;
            assert_eq!(app.message(path).await["sid"], sid);
        }
    }

    async fn receipts_are_listed_oldest_first_duplicates_included(app) {
        use std::sync::atomic::Ordering;
        for (step, status) in ["queued", "sent", "sent", "submitted"].iter().enumerate() {
            app.clock.fetch_add(i64::try_from(step).unwrap() * 1_000_000, Ordering::Relaxed);
            app.record(&[("SmsSid", "s1"), ("Status", status), ("New Field", "kept")]).await;
        }
        let receipts = app.ask("/messages/s1/callbacks").await.json;
        let items = receipts["items"].as_array().unwrap();
        let statuses: Vec<_> = items.iter().map(|item| item["fields"]["Status"].as_str().unwrap()).collect();
        assert_eq!(statuses, ["queued", "sent", "sent", "submitted"]);
        assert!(items.iter().all(|item| item["source"] == "callback" && item["fields"]["New Field"] == "kept"));
        assert_eq!(items[0]["normalised"]["outcome"], "pending");
        assert_eq!(receipts["next_cursor"], json!(null));
        let message = app.message("s1").await;
        assert_eq!((&message["status"], &message["callbacks"]), (&json!("sent"), &json!(4)));
        let times = (&message["first_received_at"], &message["last_received_at"]);
        assert_eq!(times, (&json!("2025-01-15T05:00:00Z"), &json!("2025-01-15T05:00:06Z")));
        let bad = app.ask("/messages/s1/callbacks?cursor=AAAA").await;
        assert_eq!((bad.problem(), &bad.json["parameter"]), ("invalid_parameter", &json!("cursor")));
    }
}

#[tokio::test]
async fn a_sid_that_two_accounts_report_is_not_guessed_at() {
    use crate::support::Backend;
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let settings = [("ACCOUNTS__A__COUNTRY", "IN"), ("ACCOUNTS__B__COUNTRY", "IN")];
        let app = TestApp::with(backend, &settings).await;
        for (account, status) in [("a", "sent"), ("b", "failed")] {
            let form = app.request("POST", &format!("/callbacks/exotel/{account}"));
            assert_eq!(
                form.form(&[("SmsSid", "s1"), ("Status", status)]).send().await.unwrap().status(),
                200
            );
        }
        let answer = app.ask("/messages/s1").await;
        assert_eq!((answer.status, answer.problem()), (409, "ambiguous_sid"));
        assert_eq!(answer.json["accounts"], json!(["a", "b"]));
        assert_eq!(app.message("s1?account=b").await["outcome"], "failed");
        let receipts = app.ask("/messages/s1/callbacks?account=a").await.json;
        assert_eq!(receipts["items"].as_array().unwrap().len(), 1);
    }
}
