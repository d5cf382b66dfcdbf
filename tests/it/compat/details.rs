//! Details of one SMS.

use serde_json::{Value, json};

use super::{ACME, BERLIN, ask, on_each, record};
use crate::support::{Answer, TestApp};

/// The answer's XML.
fn xml(answer: &Answer) -> &str {
    assert_eq!((answer.status, answer.content_type.as_str()), (200, "application/xml"), "{answer:?}");
    answer.json.as_str().unwrap()
}

/// The message in JSON.
async fn sms(app: &TestApp, path: &str, credentials: Option<(&str, &str)>) -> Value {
    let answer = ask(app, path, credentials).await;
    assert_eq!((answer.status, answer.content_type.as_str()), (200, "application/json"), "{answer:?}");
    answer.json["SMSMessage"].clone()
}

on_each! {
    async fn a_message_is_told_as_exotel_tells_it(app) {
        // The sample of Exotel's reference, as a callback would say it.
        record(&app, "acme", &[
            ("SmsSid", "0f477d60517e6e6a0f6d9a7e9af8630e"),
            ("From", "0XXXXXX4890/WEBDEV"),
            ("To", "0XXXXX30240"),
            ("DateCreated", "2017-03-03 14:14:20"),
            ("DateUpdated", "2017-03-03 14:14:20"),
            ("DateSent", "1970-01-01 05:30:00"),
            ("Body", "Hello World!"),
            ("Direction", "outbound-api"),
            ("Status", "submitted"),
            ("DetailedStatusCode", "21020"),
            ("DetailedStatus", "PENDING_ON_OPERATOR"),
            ("SmsUnits", "1"),
        ]).await;
        let path = "/v1/Accounts/acme1m/SMS/Messages/0f477d60517e6e6a0f6d9a7e9af8630e";
        let samples: Value = serde_json::from_str(include_str!("../../fixtures/exotel_details.json")).unwrap();
        let json = ask(&app, &format!("{path}.json"), ACME).await.json;
        assert_eq!(json, samples["json"]);
        let order = |value: &Value| value["SMSMessage"].as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        assert_eq!(order(&json), order(&samples["json"]), "in the order of the reference");
        assert_eq!(xml(&ask(&app, path, ACME).await), samples["xml"]);
    }

    async fn what_callbacks_do_not_say_is_null(app) {
        record(&app, "acme", &[("SmsSid", "s1"), ("Status", "sent")]).await;
        let path = "/v1/Accounts/acme1m/Sms/Messages/s1";
        insta::assert_json_snapshot!("compat_bare_message", ask(&app, &format!("{path}.json"), ACME).await.json);
        insta::assert_snapshot!("compat_bare_message_xml", xml(&ask(&app, path, ACME).await));
    }

    async fn times_are_the_accounts_without_an_offset(app) {
        let fields = [("SmsSid", "s1"), ("To", "030 901820"), ("Status", "sent"), ("DateSent", "2025-07-01 12:00:00")];
        record(&app, "berlin", &fields).await;
        for (sid, status) in [("s2", "queued"), ("s3", "failed"), ("s4", "delivered"), ("s5", "whatever")] {
            record(&app, "berlin", &[("SmsSid", sid), ("Status", status)]).await;
        }
        let sent = sms(&app, "/v1/Accounts/berlin/SMS/Messages/s1.json", BERLIN).await;
        assert_eq!((&sent["DateSent"], &sent["To"]), (&json!("2025-07-01 12:00:00"), &json!("030 901820")));
        assert_eq!(sent["DateUpdated"], "2025-01-15 06:00:00", "when it was received");
        let not_sent = json!("1970-01-01 01:00:00");
        for (sid, date) in [("s2", &not_sent), ("s3", &not_sent), ("s4", &Value::Null), ("s5", &Value::Null)] {
            let told = sms(&app, &format!("/v1/Accounts/berlin/SMS/Messages/{sid}.json"), BERLIN).await;
            assert_eq!(&told["DateSent"], date, "{sid}: the epoch in Berlin only where it was not sent");
        }
    }

    async fn the_first_callback_stands_in_for_the_creation(app) {
        let fields = [("SmsSid", "s1"), ("Status", "submitted")];
        record(&app, "acme", &fields).await;
        record(&app, "berlin", &fields).await;
        app.clock.fetch_add(60_000_000, std::sync::atomic::Ordering::Relaxed);
        record(&app, "acme", &[("SmsSid", "s1"), ("Status", "sent")]).await;
        let path = "/v1/Accounts/acme1m/SMS/Messages/s1";
        let told = sms(&app, &format!("{path}.json"), ACME).await;
        assert_eq!((&told["DateCreated"], &told["DateUpdated"]), (&json!("2025-01-15 10:30:00"), &json!("2025-01-15 10:31:00")));
        assert!(xml(&ask(&app, path, ACME).await).contains("<DateCreated>2025-01-15 10:30:00</DateCreated>"));
        let berlin = sms(&app, "/v1/Accounts/berlin/SMS/Messages/s1.json", BERLIN).await;
        assert_eq!(berlin["DateCreated"], "2025-01-15 06:00:00", "by the clock of the account");
        for (sid, created, told) in [
            ("s2", "2025-01-15 10:00:00 +0530", "2025-01-15 10:00:00"),
            ("s3", "soon", "2025-01-15 10:30:30"),
            ("s4", "", "2025-01-15 10:30:30"),
        ] {
            let fields = [("SmsSid", sid), ("Status", "sent"), ("DateCreated", created), ("DateUpdated", "2025-01-15 10:30:30")];
            record(&app, "acme", &fields).await;
            let message = sms(&app, &format!("/v1/Accounts/acme1m/SMS/Messages/{sid}.json"), ACME).await;
            assert_eq!(message["DateCreated"], told, "{sid}: said, or never behind the last change");
        }
    }

    async fn the_last_change_is_what_callbacks_say_or_when_they_came(app) {
        let updated = async |fields: &[(&str, &str)]| {
            record(&app, "acme", &[&[("SmsSid", "s1"), ("Status", "sent")], fields].concat()).await;
            sms(&app, "/v1/Accounts/acme1m/SMS/Messages/s1.json", ACME).await["DateUpdated"].clone()
        };
        assert_eq!(updated(&[("DateUpdated", "2025-01-15 10:00:01")]).await, "2025-01-15 10:00:01");
        assert_eq!(updated(&[("DateUpdated", "2025-01-15 10:00:00")]).await, "2025-01-15 10:00:01", "an older one");
        app.clock.fetch_add(60_000_000, std::sync::atomic::Ordering::Relaxed);
        assert_eq!(updated(&[]).await, "2025-01-15 10:31:00", "one that does not say");
    }

    async fn statuses_are_exotels_words(app) {
        for (sid, status, code, expected) in [
            ("s1", "FAILED_DND", "23005", ["failed-dnd", "23005", "FAILED_REJECTED_DND"]),
            ("s2", "delivered", "20005", ["sent", "20005", "DELIVERED_TO_HANDSET"]),
            ("s3", "Lost In Space", "23999", ["Lost In Space", "23999", ""]),
        ] {
            record(&app, "acme", &[("SmsSid", sid), ("Status", status), ("DetailedStatusCode", code)]).await;
            let told = sms(&app, &format!("/v1/Accounts/acme1m/SMS/Messages/{sid}.json"), ACME).await;
            let words = ["Status", "DetailedStatusCode", "DetailedStatus"];
            assert_eq!(words.map(|word| told[word].as_str().unwrap_or_default()), expected);
        }
    }

    async fn any_case_of_the_path_is_the_path(app) {
        record(&app, "acme", &[("SmsSid", "A/b ü"), ("Status", "sent")]).await;
        for path in ["/v1/Accounts/acme1m/SMS/Messages/", "/v1/Accounts/acme1m/Sms/Messages/", "/V1/accounts/ACME1M/sms/messages/"] {
            for end in ["json", "JSON"] {
                let told = sms(&app, &format!("{path}A%2Fb%20%C3%BC.{end}"), ACME).await;
                assert_eq!(told["Uri"], "/v1/Accounts/acme1m/SMS/Messages/A%2Fb%20%C3%BC.json");
                assert_eq!((&told["Sid"], &told["AccountSid"]), (&json!("A/b ü"), &json!("acme1m")));
            }
        }
        let other_case = ask(&app, "/v1/Accounts/acme1m/SMS/Messages/a%2FB%20%C3%BC.json", ACME).await;
        assert_eq!(other_case.json["RestException"]["Message"], "No matching results", "sids have a case");
    }

    async fn a_message_of_another_account_is_not_there(app) {
        record(&app, "acme", &[("SmsSid", "s1"), ("Status", "sent")]).await;
        record(&app, "berlin", &[("SmsSid", "s1"), ("Status", "failed")]).await;
        record(&app, "berlin", &[("SmsSid", "s2"), ("Status", "failed")]).await;
        assert_eq!(sms(&app, "/v1/Accounts/acme1m/SMS/Messages/s1.json", ACME).await["Status"], "sent");
        assert_eq!(sms(&app, "/v1/Accounts/berlin/SMS/Messages/s1.json", BERLIN).await["Status"], "failed");
        for sid in ["s2", "%00", "%FF", "' OR 1=1--"] {
            let answer = ask(&app, &format!("/v1/Accounts/acme1m/SMS/Messages/{sid}.json"), ACME).await;
            assert_eq!(answer.json["RestException"]["Message"], "No matching results", "{sid}");
        }
    }

    async fn a_message_with_many_callbacks_is_told_whole(app) {
        let fields = |from| [("SmsSid", "s1"), ("Status", "sent"), ("From", from)];
        let many = (0..501).map(|_| async { record(&app, "acme", &fields("0/FIRST")).await });
        futures_util::future::join_all(many).await;
        record(&app, "acme", &fields("1/LAST")).await;
        assert_eq!(sms(&app, "/v1/Accounts/acme1m/SMS/Messages/s1.json", ACME).await["From"], "1/LAST");
    }
}
