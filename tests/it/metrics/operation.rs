//! What is told of connections, of purges, and of what is let in although a guard says no.

use std::{
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use dlr_receiver::access::Permit;

use super::{Exposition, SENT};
use crate::support::{
    Backend, DEADLINE, Database, NOW_MICROS, TestApp, migrated,
    wire::{Wire, callback, statuses},
};

const DAY: i64 = 86_400_000_000;

/// What is told once it is as it should be; the connection that asks is counted as well.
async fn told_at_last(app: &TestApp, is_told: impl Fn(&Exposition) -> bool) -> Exposition {
    let began = Instant::now();
    loop {
        let told = Exposition::from(app).await;
        if is_told(&told) {
            return told;
        }
        assert!(began.elapsed() < DEADLINE, "not told in time:\n{}", told.text);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn what_is_only_reported_is_counted_each_time_by_guard_and_reason() {
    let secret = "0123456789abcdef0123456789abcdef";
    let settings = [
        ("ACCOUNTS__ACME__SIGNING_SECRETS", secret),
        ("ACCOUNTS__ACME__ALLOW_FROM", "203.0.113.0/24"),
        ("ACCOUNTS__ACME__REPORT_ONLY", "true"),
    ];
    let app = TestApp::with(Backend::Sqlite, &settings).await;
    let count = |told: &Exposition, guard: &str, reason: &str| {
        let labels = format!("account=\"acme\",guard=\"{guard}\",reason=\"{reason}\"");
        told.at(&format!("dlr_callbacks_reported_total{{{labels}}}"))
    };
    let told = Exposition::from(&app).await;
    assert_eq!(told.sum("dlr_callbacks_reported_total"), 0.0, "they are there, at zero");
    assert!(
        !told.text.contains("dlr_callbacks_reported_total{account=\"default\""),
        "only where it is reported"
    );
    let (to, exp) = ("09812345671", "4102444800");
    let sig = Permit { account: "acme", to, exp }.sign(&secret.into());
    let other = format!("?to={to}&exp={exp}&sig={sig}");
    for query in ["", "", "?to=x&exp=1&sig=00", &other] {
        let request = app.request("POST", &format!("/callbacks/exotel/acme{query}"));
        let answer = request.form(&[("SmsSid", "s1"), ("To", "09812345670"), SENT]).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{query}");
    }
    let told = Exposition::from(&app).await;
    assert_eq!(count(&told, "allow_from", "address"), 4.0);
    let by_signature = ["unsigned", "forged", "other_recipient", "expired"]
        .map(|reason| count(&told, "signing_secrets", reason));
    assert_eq!(by_signature, [2.0, 1.0, 1.0, 0.0]);
    assert_eq!(told.at("dlr_callbacks_total{account=\"acme\",result=\"recorded\"}"), 4.0);
    assert_eq!(told.at("dlr_auth_refusals_total{account=\"acme\",door=\"callbacks\"}"), 0.0);
}

#[tokio::test]
async fn connections_are_counted_while_they_are_open_and_when_they_are_cut() {
    const OPEN: &str = "dlr_http_connections{listener=\"public\"}";
    const CUT: &str = "dlr_http_connections_cut_total{listener=\"public\"}";
    let limits = [("HTTP__HEADER_TIMEOUT_MS", "600"), ("HTTP__MAX_CONNECTIONS", "77")];
    let app = TestApp::with(Backend::Sqlite, &limits).await;
    let told = Exposition::from(&app).await;
    let before = told.at(OPEN);
    assert!(before >= 1.0, "the one that asks is open");
    assert_eq!((told.at("dlr_http_connections_max{listener=\"public\"}"), told.at(CUT)), (77.0, 0.0));
    let mut honest = Wire::to(&app.url).await;
    honest.send(callback("/callbacks/exotel/default", "s1")).await;
    assert_eq!(statuses(&honest.answer().await), ["200"]);
    let mut silent = Vec::new();
    for _ in 0..5 {
        silent.push(Wire::to(&app.url).await);
    }
    silent[0].send("POST /callbacks").await;
    told_at_last(&app, |told| told.at(OPEN) >= before + 6.0).await;
    for wire in &mut silent {
        assert_eq!(wire.rest().await, "");
    }
    told_at_last(&app, |told| told.at(CUT) == 5.0 && told.at(OPEN) <= before + 1.0).await;
    drop(honest);
    let told = told_at_last(&app, |told| told.at(OPEN) <= before).await;
    assert_eq!(told.at(CUT), 5.0, "who goes by itself is not cut");
}

#[tokio::test]
async fn what_was_deleted_is_counted_in_steps() {
    let database = migrated(Backend::Sqlite).await;
    let app = TestApp::on_database(Database::at(&database.url), &[]).await;
    for sid in ["s1", "s2"] {
        app.record(&[("SmsSid", sid), ("Status", "queued")]).await;
        app.record(&[("SmsSid", sid), SENT]).await;
    }
    app.callback(&[("SmsSid", "s3")]).await;
    app.clock.store(NOW_MICROS + 20 * DAY, Ordering::Relaxed);
    app.record(&[("SmsSid", "s4"), SENT]).await;
    let settings = [("RETENTION__MESSAGES_DAYS", "90"), ("REJECTED__MAX_AGE_DAYS", "90")];
    let now = NOW_MICROS + 100 * DAY;
    let later = TestApp::on_database_at(now, Database::at(&database.url), &settings).await;
    let deleted =
        |told: &Exposition, kind: &str| told.at(&format!("dlr_retention_deleted_total{{kind=\"{kind}\"}}"));
    let told = told_at_last(&later, |told| deleted(told, "rejected") > 0.0).await;
    assert_eq!(
        ["messages", "receipts", "rejected", "partitions"].map(|kind| deleted(&told, kind)),
        [2.0, 4.0, 1.0, 0.0]
    );
    assert_eq!(told.at("dlr_retention_failures_total"), 0.0);
    #[expect(clippy::cast_precision_loss, reason = "a time of this century")]
    let finished = now as f64 / 1e6;
    assert_eq!(told.at("dlr_retention_last_finished_timestamp_seconds"), finished);
}
