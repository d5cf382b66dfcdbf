//! All codes of Exotel's table, through HTTP, on each backend; and the table as it is served.

use serde_json::{Value, json};

use crate::support::{Backend, TestApp, each_backend};

/// The table as the tests know it, by hand and not from the code.
fn table() -> Vec<Vec<&'static str>> {
    let rows = include_str!("../fixtures/status_codes.csv").lines().skip(1);
    rows.map(|row| row.split(',').collect()).collect()
}

/// A message or a code, held against a row of the table.
fn check(row: &[&str], found: &Value, (code, name): (&str, &str)) {
    let [number, is_final, status, expected_name, outcome, category, retry] = row else { panic!("{row:?}") };
    let expected = json!({
        code: number.parse::<i32>().unwrap(),
        "final": *is_final == "yes",
        "status": status,
        name: expected_name,
        "outcome": outcome,
        "category": category,
        "retry": retry,
    });
    for (key, value) in expected.as_object().unwrap() {
        assert_eq!(&found[key], value, "{key} of {number}");
    }
    assert!(found["meaning"].as_str().is_some_and(|text| !text.is_empty()), "{number}");
}

each_backend! {
    async fn every_code_means_what_the_table_says(app) {
        for row in table() {
            let (code, status, name) = (row[0], row[2], row[3]);
            let sid = format!("sid{code}");
            app.record(&[("SmsSid", &sid), ("Status", status), ("DetailedStatusCode", code), ("DetailedStatus", name)]).await;
            let message = app.message(&sid).await;
            check(&row, &message, ("detailed_status_code", "detailed_status"));
            assert_eq!(message["anomalies"], json!([]), "{code}");
        }
    }

    async fn a_name_alone_means_the_same_as_its_code(app) {
        for row in table() {
            let sid = format!("sid{}", row[0]);
            app.record(&[("SmsSid", &sid), ("Status", &row[2].replace('-', "_")), ("DetailedStatus", row[3])]).await;
            check(&row, &app.message(&sid).await, ("detailed_status_code", "detailed_status"));
        }
    }
}

#[tokio::test]
async fn the_table_in_force_is_served() {
    let app = TestApp::on(Backend::Sqlite).await;
    let all = app.ask("/status-codes").await.json;
    let all = all["items"].as_array().unwrap();
    assert_eq!(all.len(), 33);
    for (row, served) in table().iter().zip(all) {
        check(row, served, ("code", "name"));
        assert_eq!(&app.ask(&format!("/status-codes/{}", row[0])).await.json, served);
    }
    assert_eq!(app.ask("/status-codes/23999").await.problem(), "unknown_status_code");
    assert_eq!(app.ask("/status-codes/abc").await.problem(), "invalid_parameter");
}

#[tokio::test]
async fn a_status_alone_is_classified_and_newer_words_are_aliases() {
    let app = TestApp::on(Backend::Sqlite).await;
    for (word, status, outcome, confirmed_by) in [
        ("queued", "queued", "pending", "none"),
        ("sending", "sending", "pending", "none"),
        ("submitted", "submitted", "pending", "none"),
        ("sent", "sent", "delivered", "operator"),
        ("DELIVERED", "sent", "delivered", "handset"),
        ("failed", "failed", "failed", "none"),
        ("Failed_DND", "failed-dnd", "failed", "none"),
        ("undelivered", "failed", "failed", "none"),
        ("expired", "failed", "failed", "none"),
        ("rejected", "failed", "failed", "none"),
    ] {
        app.record(&[("SmsSid", word), ("Status", word)]).await;
        let message = app.message(word).await;
        let found =
            (&message["status"], &message["outcome"], &message["confirmed_by"], &message["anomalies"]);
        assert_eq!(found, (&json!(status), &json!(outcome), &json!(confirmed_by), &json!([])), "{word}");
    }
    for (status, code, anomalies) in [
        ("rejected", "23005", json!([])),
        ("delivered", "20006", json!([])),
        ("failed", "23005", json!(["status_code_mismatch"])),
        ("expired", "20005", json!(["status_code_mismatch"])),
    ] {
        let sid = format!("{status}-{code}");
        app.record(&[("SmsSid", &sid), ("Status", status), ("DetailedStatusCode", code)]).await;
        assert_eq!(app.message(&sid).await["anomalies"], anomalies, "{sid}");
    }
    app.record(&[("SmsSid", "strange"), ("Status", "teleported"), ("DetailedStatusCode", "29999")]).await;
    let strange = app.message("strange").await;
    assert_eq!(strange["outcome"], "unknown");
    assert_eq!((&strange["final"], &strange["status"]), (&json!(false), &json!("teleported")));
    assert_eq!(strange["detailed_status_code"], 29999);
    assert_eq!(strange["anomalies"], json!(["unknown_code", "unknown_status"]));
}
