//! What lists cost on a million messages: no question reads the table where a filter is selective.

use std::{
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use dlr_receiver::{
    domain::{AccountName, Anomalies, Anomaly, Category, Country, Outcome, Recipient, Retry, Status, Time},
    storage::{MessageFilter, Window, list_statement, statements},
};
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row, SqliteConnection};
use tokio::time::sleep;

use crate::support::{Answer, Backend, DEADLINE, Settings, TestApp, migrated};

const MESSAGES: i64 = 1_000_000;

/// Each filter in a question that few messages answer, and how many of a page's fifty do.
const SELECTIVE: [(&str, usize); 22] = [
    ("to=09810007919", 1),
    ("to=0XXXXX30240", 0),
    ("account=nobody", 0),
    ("custom_field=order-00500000", 1),
    ("label=campaign_id:c7", 50),
    ("label=campaign_id:nix", 0),
    ("label=team:nix", 0),
    ("outcome=pending", 50),
    ("outcome=unknown", 0),
    ("outcome=unknown&outcome=pending", 50),
    ("outcome=failed&received_from=2026-11-01T05:00:00Z&received_to=2026-11-01T06:00:00Z", 50),
    ("outcome=pending&older_than=1h", 50),
    ("status=failed-dnd", 50),
    ("status=queued", 0),
    ("code=23082", 50),
    ("code=99999", 0),
    ("category=network", 0),
    ("retry=investigate", 0),
    ("anomaly=status_code_mismatch", 50),
    ("received_from=2026-11-01T05:00:00Z&received_to=2026-11-01T06:00:00Z", 50),
    ("sent_from=2026-11-01T05:00:00Z&sent_to=2026-11-01T05:00:02Z", 10),
    ("received_to=2026-10-01T00:00:00Z", 0),
];

/// Fills a database as the load bench does.
async fn seed(url: &str) {
    let mut connection = PgConnection::connect(url).await.unwrap();
    let seed = include_str!("../../../benches/load/seed.sql");
    for first in (1..=MESSAGES).step_by(100_000) {
        let last = (first + 99_999).to_string();
        let rows = seed.replace(":from", &first.to_string()).replace(":to", &last);
        sqlx::raw_sql(AssertSqlSafe(rows)).execute(&mut connection).await.unwrap();
    }
    sqlx::raw_sql("ANALYZE messages").execute(&mut connection).await.unwrap();
}

/// How often the table was read from end to end, and how many entries of its indexes were read.
async fn reads(connection: &mut PgConnection) -> (i64, i64, i64) {
    let row = sqlx::query(
        "SELECT (SELECT seq_scan FROM pg_stat_user_tables WHERE relname = 'messages'), \
                sum(idx_scan)::bigint, sum(idx_tup_read)::bigint \
         FROM pg_stat_user_indexes WHERE relname = 'messages'",
    );
    let row = row.fetch_one(connection).await.unwrap();
    (row.get(0), row.get(1), row.get(2))
}

/// How many entries of indexes so many questions read; none may read the table from end to end.
async fn entries_read(
    connection: &mut PgConnection,
    asked: usize,
    questions: impl Future<Output = ()>,
) -> i64 {
    let (scans, before, entries) = reads(connection).await;
    questions.await;
    // The server counts a little later.
    let asked = before + i64::try_from(asked).unwrap();
    let deadline = Instant::now() + DEADLINE;
    loop {
        let (scans_after, so_far, entries_after) = reads(connection).await;
        if so_far >= asked {
            assert_eq!(scans_after, scans, "a question read the whole table");
            break entries_after - entries;
        }
        assert!(Instant::now() < deadline, "{so_far} index scans, {asked} expected");
        sleep(Duration::from_millis(200)).await;
    }
}

/// Questions about a campaign of 10,000, and how many of its messages each is about.
const CAMPAIGN: &str = "/v2/accounts/default/sms-campaigns/c7/sms-details";
const OF_CAMPAIGN: [(&str, usize); 4] = [
    ("", 10_000),
    ("?sort_by=date_updated:desc&limit=500", 10_000),
    ("?offset=9000&limit=500", 10_000),
    ("?number=09818667919", 1),
];
const READER: Settings<'static> =
    &[("ACCOUNTS__DEFAULT__READ_KEY", "key1"), ("ACCOUNTS__DEFAULT__READ_TOKEN", "token1")];

#[tokio::test]
async fn postgres_reads_no_more_than_a_page_needs() {
    let database = migrated(Backend::Postgres).await;
    seed(&database.url).await;
    let mut connection = PgConnection::connect(&database.url).await.unwrap();
    let counting = counting_pending("postgres")
        .replace("$1", "TIMESTAMPTZ '2026-11-05'")
        .replace("$2", "TIMESTAMPTZ '2026-11-04'")
        .replace("$3", "TIMESTAMPTZ '2026-11-03'");
    let explain = AssertSqlSafe(format!("EXPLAIN {counting}"));
    let plan = sqlx::query_scalar::<_, String>(explain).fetch_all(&mut connection).await.unwrap();
    assert!(plan.iter().any(|step| step.contains("messages_outcome")), "{plan:?}");
    let app = TestApp::on_database(database, READER).await;
    // 2026-11-05, when all of them have come.
    app.clock.store(1_793_836_800_000_000, Ordering::Relaxed);
    let entries = entries_read(&mut connection, SELECTIVE.len(), async {
        for (query, expected) in SELECTIVE {
            let answer = app.ask(&format!("/messages?{query}")).await;
            assert_eq!(answer.json["items"].as_array().unwrap().len(), expected, "{query}");
        }
    });
    let entries = entries.await;
    assert!(entries < MESSAGES / 10, "lists read {entries} entries of indexes");
    // Each counts its campaign, and sorts it for a page.
    let entries = entries_read(&mut connection, 2 * OF_CAMPAIGN.len(), async {
        for (query, expected) in OF_CAMPAIGN {
            let question =
                app.request("GET", &format!("{CAMPAIGN}{query}")).basic_auth("key1", Some("token1"));
            let answer = Answer::of(question.send().await.unwrap()).await;
            assert_eq!(answer.json["metadata"]["total"], expected, "{query}");
        }
    });
    let entries = entries.await;
    assert!(entries < 3 * 2 * 10_500, "campaigns read {entries} entries of indexes");
}

/// Which index SQLite takes for a filter; it decides without looking at the rows. Those that it has no index
/// for go along the time.
const INDEXES: [&str; 14] = [
    "received",
    "recipient",
    "recipient_raw",
    "received",
    "campaign",
    "outcome",
    "status",
    "code",
    "category",
    "retry",
    "flagged",
    "received",
    "received",
    "received",
];

fn filters() -> [MessageFilter; INDEXES.len()] {
    let any = MessageFilter::default;
    let window = Window { from: Some(Time::UNIX_EPOCH), to: Some(Time::UNIX_EPOCH) };
    let recipient = |raw| vec![Recipient::read(raw, Country::INDIA)];
    let mut flagged = Anomalies::NONE;
    flagged.insert(Anomaly::BadTime);
    [
        MessageFilter { accounts: vec![AccountName::new("a").unwrap()], ..any() },
        MessageFilter { recipients: recipient("09810007919"), ..any() },
        MessageFilter { recipients: recipient("0XXXXX30240"), ..any() },
        MessageFilter { custom_fields: vec!["order-7".into()], ..any() },
        MessageFilter { labels: [("campaign_id".into(), vec!["c7".into()])].into(), ..any() },
        MessageFilter { outcomes: vec![Outcome::Pending], ..any() },
        MessageFilter { statuses: vec![Status::FailedDnd], ..any() },
        MessageFilter { codes: vec![23082], ..any() },
        MessageFilter { categories: vec![Category::Network], ..any() },
        MessageFilter { retries: vec![Retry::Investigate], ..any() },
        MessageFilter { anomalies: flagged, ..any() },
        MessageFilter { received: window, ..any() },
        MessageFilter { sent: window, ..any() },
        any(),
    ]
}

/// What counts pending messages for the metrics.
fn counting_pending(kind: &str) -> String {
    statements(kind)
        .into_iter()
        .find(|statement| statement.contains("outcome = 'pending'"))
        .unwrap()
        .to_owned()
}

#[tokio::test]
async fn sqlite_counts_pending_messages_off_their_index() {
    let database = migrated(Backend::Sqlite).await;
    let mut connection = SqliteConnection::connect(&database.url).await.unwrap();
    let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {}", counting_pending("sqlite")));
    let plan = sqlx::query(explain).fetch_all(&mut connection).await.unwrap();
    let plan: Vec<String> = plan.iter().map(|step| step.get("detail")).collect();
    assert!(plan[0].contains("USING COVERING INDEX messages_outcome"), "{plan:?}");
}

#[tokio::test]
async fn sqlite_finds_an_index_for_every_filter() {
    let database = migrated(Backend::Sqlite).await;
    let mut connection = SqliteConnection::connect(&database.url).await.unwrap();
    for (filter, index) in filters().iter().zip(INDEXES) {
        let statement = list_statement("sqlite", filter);
        let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}"));
        let plan = sqlx::query(explain).fetch_all(&mut connection).await.unwrap();
        let plan: Vec<String> = plan.iter().map(|step| step.get("detail")).collect();
        assert!(plan[0].contains(&format!("USING INDEX messages_{index}")), "{statement}: {plan:?}");
        assert!(!plan.iter().any(|step| step.contains("TEMP B-TREE")), "{statement} sorts: {plan:?}");
    }
}
