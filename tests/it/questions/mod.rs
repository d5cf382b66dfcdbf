//! What questions may cost others, and what a question itself may do wrong: on the real binary.

mod bad;
mod deadline;
mod scans;
mod sheets;

use std::time::{Duration, Instant};

use reqwest::{Client, Response};
use sqlx::{AssertSqlSafe, Connection, PgConnection, SqliteConnection};

use crate::support::{Answer, Backend, Database, Service, Settings};

/// Declares one test for each backend.
macro_rules! on_each {
    ($(async fn $name:ident($backend:ident) $body:block)*) => {$(
        mod $name {
            use super::*;

            async fn test($backend: Backend) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                test(Backend::Sqlite).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                test(Backend::Postgres).await;
            }
        }
    )*};
}
use on_each;

/// The account that is read in Exotel's way.
const READER: Settings<'static> =
    &[("ACCOUNTS__DEFAULT__READ_KEY", "key1"), ("ACCOUNTS__DEFAULT__READ_TOKEN", "token1")];

/// A service, the database behind it, and a client.
struct Target {
    service: Service,
    database: Database,
    http: Client,
}

/// One with so many messages, of which the callbacks of one have come.
async fn with_messages(backend: Backend, messages: u32, settings: Settings<'_>) -> Target {
    let database = Database::create(backend).await;
    let service = Service::start(&database, &[READER, settings].concat()).await;
    let target = Target { service, database, http: Client::new() };
    record(&target, "first").await;
    let columns = "account, first_received_at, last_received_at, decided_at, callbacks, sent_at, \
                   detailed_status_code, sms_units, anomalies, evidence, specific, status, detailed_status, outcome, \
                   category, retry, confirmed_by, recipient, recipient_raw, custom_field, labels";
    let copy = format!(
        "INSERT INTO messages (sid, {columns}) \
         WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {messages}) \
         SELECT 'copy-' || n, {columns} FROM numbers, messages WHERE sid = 'first'"
    );
    run_sql(&target.database.url, copy).await;
    target
}

async fn run_sql(url: &str, statement: String) {
    let statement = sqlx::raw_sql(AssertSqlSafe(statement));
    if url.starts_with("sqlite") {
        statement.execute(&mut SqliteConnection::connect(url).await.unwrap()).await.unwrap();
    } else {
        statement.execute(&mut PgConnection::connect(url).await.unwrap()).await.unwrap();
    }
}

/// A callback that must be recorded.
async fn record(target: &Target, sid: &str) {
    let url = format!("{}/callbacks/exotel/default?team=a&campaign_id=c1", target.service.url);
    let fields = [("SmsSid", sid), ("DetailedStatusCode", "20005"), ("To", "09812345670")];
    let answer = target.http.post(url).form(&fields).send().await.unwrap();
    let text = answer.text().await.unwrap();
    assert!(text.contains("recorded"), "{text}");
}

/// Every question there is about messages, as method, path and body; the first ones read little.
const QUESTIONS: [(&str, &str, &str); 9] = [
    ("GET", "/messages?limit=1", ""),
    ("GET", "/messages/first", ""),
    ("POST", "/messages/lookup", "{\"sids\": [\"first\"]}"),
    ("GET", "/messages/first/callbacks", ""),
    ("GET", "/v1/Accounts/default/SMS/Messages/first.json", ""),
    ("GET", "/messages?outcome=delivered&code=20005", ""),
    ("GET", "/stats", ""),
    ("GET", "/messages/export", ""),
    ("GET", "/v2/accounts/default/sms-campaigns/c1/sms-details", ""),
];

/// The answer's head.
async fn begin((method, path, body): (&str, &str, &'static str), target: &Target) -> Response {
    let request = target.http.request(method.parse().unwrap(), format!("{}{path}", target.service.url));
    let request = if path.starts_with("/v") { request.basic_auth("key1", Some("token1")) } else { request };
    request.body(body).send().await.unwrap()
}

/// An answer, and how long it took.
async fn ask(question: (&str, &str, &'static str), target: &Target) -> (Answer, Duration) {
    let begun = Instant::now();
    let answer = Answer::of(begin(question, target).await).await;
    (answer, begun.elapsed())
}

/// The value of a metric.
async fn metric(target: &Target, series: &str) -> u64 {
    let text = target
        .http
        .get(format!("{}/metrics", target.service.url))
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    let value = text.lines().find_map(|line| line.strip_prefix(series)?.trim().parse().ok());
    value.unwrap_or_else(|| panic!("no {series} in {text}"))
}

/// No question has made the log or the breaker say that the store fails.
async fn the_store_is_well(target: &Target) {
    record(target, "afterwards").await;
    let log = target.service.log_text();
    assert!(!log.contains("ERROR"), "{log}");
    assert_eq!(metric(target, "dlr_question_failures_total{reason=\"store_unavailable\"}").await, 0);
    assert_eq!(metric(target, "dlr_store_up").await, 1);
}
