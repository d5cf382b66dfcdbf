//! Metrics: what they tell, who may read them, and that nothing a caller sends makes a series.

#![expect(clippy::float_cmp, reason = "what is compared was counted, or is told as it was set")]

mod monitoring;
mod operation;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::atomic::Ordering,
};

use dlr_receiver::http::KeyDigest;
use serde_json::Value;
use tempfile::TempDir;

use crate::{
    health::Breaker,
    support::{Answer, Backend, Database, NOW_MICROS, TestApp, each_backend},
};

/// Every series and its value.
struct Exposition {
    text: String,
    series: BTreeMap<String, f64>,
}

impl Exposition {
    fn of(answer: Answer) -> Self {
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.content_type, "text/plain; version=0.0.4; charset=utf-8");
        let Value::String(text) = answer.json else { panic!("{answer:?}") };
        let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        let series = lines.map(|line| {
            let (series, value) = line.rsplit_once(' ').unwrap();
            (series.to_owned(), value.parse().unwrap())
        });
        let series: BTreeMap<_, _> = series.collect();
        Self { text, series }
    }

    async fn from(app: &TestApp) -> Self {
        Self::of(app.ask("/metrics").await)
    }

    /// The value of a series that must be there.
    fn at(&self, series: &str) -> f64 {
        *self.series.get(series).unwrap_or_else(|| panic!("no {series} in\n{}", self.text))
    }

    /// The sum of a family's series.
    fn sum(&self, family: &str) -> f64 {
        let labelled = format!("{family}{{");
        let of_family = |series: &&String| *series == family || series.starts_with(&labelled);
        self.series.iter().filter(|(series, _)| of_family(series)).map(|(_, value)| value).sum()
    }

    /// The families that have a type, and it.
    fn families(&self) -> BTreeMap<&str, &str> {
        self.text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' ')).collect()
    }
}

const SENT: (&str, &str) = ("Status", "sent");

each_backend! {
    async fn callbacks_and_their_receipts_are_counted(app) {
        // Sent twelve seconds before; the account's clock is India's.
        let sent_at = ("DateSent", "2025-01-15 10:29:48");
        app.record(&[("SmsSid", "s1"), SENT, ("DetailedStatusCode", "20005"), sent_at]).await;
        app.record(&[("SmsSid", "s1"), ("Status", "failed"), ("DetailedStatusCode", "77777")]).await;
        // Sent tomorrow.
        app.record(&[("SmsSid", "s2"), SENT, ("DateSent", "2025-01-16 10:29:48")]).await;
        assert_eq!(app.callback(&[("SmsSid", "s3")]).await.status(), 422);
        assert_eq!(app.request("POST", "/callbacks/exotel/nobody").send().await.unwrap().status(), 404);
        let told = Exposition::from(&app).await;
        assert_eq!(told.at("dlr_callbacks_total{account=\"default\",result=\"recorded\"}"), 3.0);
        assert_eq!(told.at("dlr_callbacks_total{account=\"default\",result=\"spooled\"}"), 0.0);
        assert_eq!(told.at("dlr_callbacks_total{account=\"default\",result=\"not_a_status_callback\"}"), 1.0);
        assert_eq!(told.at("dlr_callbacks_total{account=\"unknown\",result=\"unknown_account\"}"), 1.0);
        assert_eq!(told.at("dlr_auth_refusals_total{account=\"unknown\",door=\"callbacks\"}"), 1.0);
        assert_eq!(told.at("dlr_auth_refusals_total{account=\"default\",door=\"callbacks\"}"), 0.0);
        assert_eq!(told.at("dlr_receipts_total{code=\"20005\",outcome=\"delivered\"}"), 1.0);
        assert_eq!(told.at("dlr_receipts_total{code=\"other\",outcome=\"failed\"}"), 1.0);
        assert_eq!(told.at("dlr_receipts_total{code=\"none\",outcome=\"delivered\"}"), 1.0);
        assert_eq!(told.sum("dlr_receipts_total"), 3.0);
        assert_eq!(told.at("dlr_unknown_codes_total"), 1.0);
        let delay = |suffix| told.at(&format!("dlr_send_to_receipt_seconds{suffix}"));
        assert_eq!((delay("_count{outcome=\"delivered\"}"), delay("_sum{outcome=\"delivered\"}")), (1.0, 12.0));
        assert_eq!(delay("_bucket{outcome=\"delivered\",le=\"10\"}"), 0.0);
        assert_eq!(delay("_bucket{outcome=\"delivered\",le=\"30\"}"), 1.0);
        assert_eq!((told.at("dlr_commit_receipts_sum"), told.at("dlr_commit_receipts_count")), (3.0, 3.0));
        assert_eq!(told.at("dlr_commit_duration_seconds_count"), 3.0);
        assert_eq!(told.sum("dlr_commit_failures_total"), 0.0);
        let callbacks = "route=\"/callbacks/exotel/{account}\"";
        let requests = |status| told.at(&format!("dlr_http_requests_total{{{callbacks},method=\"POST\",status=\"{status}\"}}"));
        assert_eq!((requests("2xx"), requests("4xx")), (3.0, 2.0));
        assert_eq!(told.at(&format!("dlr_http_request_duration_seconds_count{{{callbacks}}}")), 5.0);
        for (gauge, value) in [("dlr_ready", 1.0), ("dlr_store_up", 1.0), ("dlr_queue_depth", 0.0), ("dlr_queue_capacity", 8192.0), ("dlr_database_connections_max", 8.0)] {
            assert_eq!(told.at(gauge), value, "{gauge}");
        }
        assert!(told.sum("dlr_database_connections") >= 1.0);
        assert!(told.at("process_resident_memory_bytes") > 1e6 && told.at("process_open_fds") > 3.0);
        assert!(!told.text.contains("dlr_spool_"), "there is no spool");
    }

    async fn the_last_accepted_callback_is_told_by_its_time(app) {
        const LAST: &str = "dlr_callbacks_last_accepted_timestamp_seconds{account=\"default\"}";
        #[expect(clippy::cast_precision_loss, reason = "a time of this century")]
        let began = NOW_MICROS as f64 / 1e6;
        assert_eq!(Exposition::from(&app).await.at(LAST), began, "an hour of silence counts from the start on");
        app.clock.store(NOW_MICROS + 90_500_000, Ordering::Relaxed);
        app.callback(&[("SmsSid", "s1")]).await;
        assert_eq!(Exposition::from(&app).await.at(LAST), began, "what is refused is not accepted");
        app.record(&[("SmsSid", "s1"), SENT]).await;
        assert_eq!(Exposition::from(&app).await.at(LAST), began + 90.5);
    }

    async fn pending_messages_are_counted_by_age_and_not_at_every_question(app) {
        const HOUR: i64 = 3_600_000_000;
        let queued = ("Status", "queued");
        for (sid, hours) in [("s1", 30), ("s2", 7), ("s3", 6), ("s4", 2), ("s5", 0), ("s6", 30)] {
            app.clock.store(NOW_MICROS - hours * HOUR, Ordering::Relaxed);
            app.record(&[("SmsSid", sid), queued]).await;
        }
        app.record(&[("SmsSid", "s6"), SENT]).await;
        app.clock.store(NOW_MICROS, Ordering::Relaxed);
        let counts = |told: &Exposition| {
            ["under_1h", "1h_to_6h", "6h_to_24h", "over_24h"]
                .map(|age| told.at(&format!("dlr_pending_messages{{age=\"{age}\"}}")))
        };
        assert_eq!(counts(&Exposition::from(&app).await), [1.0, 1.0, 2.0, 1.0]);
        app.record(&[("SmsSid", "s7"), queued]).await;
        app.clock.store(NOW_MICROS + 29_000_000, Ordering::Relaxed);
        assert_eq!(counts(&Exposition::from(&app).await), [1.0, 1.0, 2.0, 1.0], "as it was counted before");
        app.clock.store(NOW_MICROS + 30_000_000, Ordering::Relaxed);
        assert_eq!(counts(&Exposition::from(&app).await), [2.0, 1.0, 2.0, 1.0]);
    }
}

fn key(name: &str, scope: &str) -> String {
    let digest = KeyDigest::of(&format!("dlr_{name}"));
    format!("[{{name = \"{name}\", sha256 = \"{digest}\", scopes = [\"{scope}\"]}}]")
}

#[tokio::test]
async fn refusals_by_authentication_are_counted_by_door_and_account() {
    let keys = key("prometheus", "read");
    let settings = [
        ("AUTH__KEYS", &*keys),
        ("ACCOUNTS__ACME__CALLBACK_TOKENS", "right"),
        ("ACCOUNTS__ACME__READ_KEY", "key1"),
        ("ACCOUNTS__ACME__READ_TOKEN", "token1"),
        ("ACCOUNTS__OTHER__CALLBACK_TOKENS", "right2"),
    ];
    let app = TestApp::with(Backend::Sqlite, &settings).await;
    let status = async |method, path| app.request(method, path).send().await.unwrap().status();
    for _ in 0..2 {
        assert_eq!(status("POST", "/callbacks/exotel/acme/wrong").await, 401);
    }
    assert_eq!(status("GET", "/callbacks/exotel/acme/right?SmsSid=s1&Status=sent").await, 200);
    assert_eq!(status("GET", "/messages").await, 401);
    assert_eq!(status("GET", "/messages/s1").await, 401);
    let exotels = app.request("GET", "/v1/Accounts/acme/SMS/Messages/s1").basic_auth("key1", Some("no"));
    assert_eq!(exotels.send().await.unwrap().status(), 401);
    let question = app.request("GET", "/metrics").send().await.unwrap();
    let told = Exposition::of(Answer::of(question).await);
    let refusals = |labels: &str| told.at(&format!("dlr_auth_refusals_total{{{labels}}}"));
    assert_eq!(refusals("account=\"acme\",door=\"callbacks\""), 2.0);
    assert_eq!(refusals("account=\"other\",door=\"callbacks\""), 0.0);
    assert_eq!(refusals("account=\"unknown\",door=\"callbacks\""), 0.0);
    assert_eq!(refusals("door=\"questions\""), 2.0);
    assert_eq!(refusals("door=\"compat\""), 1.0);
    assert_eq!(told.at("dlr_callbacks_total{account=\"acme\",result=\"unauthorized\"}"), 2.0);
    assert!(!told.text.contains("right") && !told.text.contains("wrong"), "no token is told");
}

/// Throws words at every place that might become a label.
async fn throw(app: &TestApp, seed: u64) {
    for number in 0..40 {
        let word = format!("w{}", seed * 1000 + number);
        let code = (30_000 + seed * 1000 + number).to_string();
        let date = format!("20{:02}-01-01 00:00:00", 10 + number % 15);
        let fields =
            [("SmsSid", &*word), ("Status", &word), ("DetailedStatusCode", &code), ("DateSent", &date)];
        assert_eq!(app.callback(&fields).await.status(), 200);
        let fields = [("SmsSid", &*word), ("Status", "failed"), ("DetailedStatus", &word), (&word, &word)];
        assert_eq!(app.callback(&fields).await.status(), 200);
        for path in ["callbacks/exotel", "messages", "status-codes", "nowhere", "v1/Accounts", "V9"] {
            for method in ["GET", "POST", &*word.to_uppercase()] {
                app.request(method, &format!("/{path}/{word}?{word}={word}")).send().await.unwrap();
            }
        }
    }
}

#[tokio::test]
async fn nothing_that_a_caller_sends_makes_a_series() {
    let app = TestApp::on(Backend::Sqlite).await;
    let mut counts = Vec::new();
    for seed in 1..=3 {
        throw(&app, seed).await;
        let told = Exposition::from(&app).await;
        assert!(!told.text.contains(&format!("w{seed}0")), "{}", told.text);
        // The question itself is counted after its answer.
        let series = told.series.into_keys().filter(|series| !series.contains("/metrics"));
        counts.push(series.collect::<BTreeSet<_>>());
    }
    assert_eq!(counts[0], counts[1]);
    assert_eq!(counts[1], counts[2]);
    assert!(counts[0].len() < 600, "{} series", counts[0].len());
}

#[tokio::test]
async fn while_the_store_is_away_the_spool_is_told_and_what_is_not_known_is_left_out() {
    let (nobody, folder) = (Database::at("postgres://dlr@127.0.0.1:1/nobody"), TempDir::new().unwrap());
    let spool = folder.path().join("spool.db");
    let settings = [("SPOOL__PATH", spool.to_str().unwrap()), ("SPOOL__MAX_BYTES", "1048576")];
    let app = TestApp::on_database(nobody, &settings).await;
    let empty = Exposition::from(&app).await;
    assert_eq!((empty.at("dlr_spool_depth"), empty.at("dlr_spool_oldest_age_seconds")), (0.0, 0.0));
    for sid in ["s1", "s2", "s3"] {
        app.record(&[("SmsSid", sid), SENT, ("CustomField", &"x".repeat(5000))]).await;
        app.clock.fetch_add(40_000_000, Ordering::Relaxed);
    }
    let told = Exposition::from(&app).await;
    assert_eq!(told.at("dlr_callbacks_total{account=\"default\",result=\"spooled\"}"), 3.0);
    assert_eq!(told.sum("dlr_receipts_total"), 0.0);
    assert_eq!((told.at("dlr_spool_depth"), told.at("dlr_spool_oldest_age_seconds")), (3.0, 120.0));
    assert!(told.at("dlr_spool_bytes") >= empty.at("dlr_spool_bytes") + 12_288.0, "{}", told.text);
    assert_eq!((told.at("dlr_spool_max_bytes"), told.at("dlr_spool_quarantined")), (1_048_576.0, 0.0));
    assert_eq!((told.at("dlr_store_up"), told.at("dlr_ready")), (0.0, 1.0));
    assert!(!told.text.contains("dlr_pending_messages"), "{}", told.text);
}

#[tokio::test]
async fn metrics_are_answered_while_store_and_spool_are_away_and_tell_when_the_store_is_back() {
    let mut database = Database::create(Backend::Postgres).await;
    let breaker = Breaker::before(&mut database).await;
    let app = TestApp::on_database(database, &[]).await;
    app.record(&[("SmsSid", "s1"), ("Status", "queued")]).await;
    assert_eq!(Exposition::from(&app).await.sum("dlr_pending_messages"), 1.0);
    breaker.set(true).await;
    let answer = app.callback(&[("SmsSid", "s2"), SENT]).await;
    assert_eq!(answer.status(), 503);
    let told = Exposition::from(&app).await;
    assert_eq!((told.at("dlr_store_up"), told.at("dlr_ready")), (0.0, 0.0));
    assert_eq!(told.at("dlr_commit_failures_total{failure=\"outage\"}"), 1.0);
    assert_eq!(told.at("dlr_callbacks_total{account=\"default\",result=\"store_unavailable\"}"), 1.0);
    assert!(!told.text.contains("dlr_pending_messages"), "{}", told.text);
    breaker.set(false).await;
    let deadline = std::time::Instant::now() + crate::support::DEADLINE;
    while Exposition::from(&app).await.at("dlr_store_up") < 1.0 {
        assert!(std::time::Instant::now() < deadline, "the store does not come back");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!(Exposition::from(&app).await.sum("dlr_pending_messages"), 1.0);
}
