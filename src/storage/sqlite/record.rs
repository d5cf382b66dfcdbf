//! Writing a batch: one transaction, synced to disk by its commit.

use std::sync::LazyLock;

use sqlx::{Sqlite as Db, SqliteConnection, query::Query, sqlite::SqliteArguments};

use super::{Sqlite, begin, give_back};
use crate::{
    domain::{DeliveryOutcome, DeliveryReceipt, Message},
    storage::{
        row::{fields_json, labels_json},
        sql::{
            believe, believed, keep_greater, message_columns, on_conflict_merge, outcome_columns,
            receipt_columns,
        },
        time::StoredTime,
    },
};

/// The most rows that one statement writes. Handing a statement to the thread that owns the connection
/// costs more than running it for one row.
const ROWS: usize = 32;

/// A statement for each number of rows, from one on.
struct ByRows(Vec<String>);

impl ByRows {
    fn new(head: &str, columns: usize, tail: &str) -> Self {
        let row = format!("({})", vec!["?"; columns].join(", "));
        let of = |rows| format!("{head} VALUES {}{tail}", vec![row.as_str(); rows].join(", "));
        Self((1..=ROWS).map(of).collect())
    }

    fn of(&'static self, rows: usize) -> &'static str {
        &self.0[rows - 1]
    }
}

/// Appends receipts.
static APPEND: LazyLock<ByRows> = LazyLock::new(|| {
    ByRows::new(concat!("INSERT INTO receipts (", receipt_columns!(), ", ", outcome_columns!(), ")"), 23, "")
});

/// Merges messages into the stored ones.
static MERGE: LazyLock<ByRows> = LazyLock::new(|| {
    let head = concat!("INSERT INTO messages (", message_columns!(), ", ", outcome_columns!(), ")");
    ByRows::new(head, 21, on_conflict_merge!("-1", "json_group_object", "json_each", "max(value)"))
});

/// Every statement that writes a batch, for few and for many rows.
pub fn statements() -> [&'static str; 4] {
    [APPEND.of(1), APPEND.of(ROWS), MERGE.of(1), MERGE.of(ROWS)]
}

impl Sqlite {
    pub async fn record(&self, receipts: &[&DeliveryReceipt], messages: &[Message<'_>]) -> sqlx::Result<()> {
        let mut connection = self.writer().acquire().await?;
        let recorded = record(&mut connection, receipts, messages).await;
        give_back(connection, recorded)
    }
}

async fn record(
    connection: &mut SqliteConnection,
    receipts: &[&DeliveryReceipt],
    messages: &[Message<'_>],
) -> sqlx::Result<()> {
    let mut transaction = begin(connection).await?;
    for rows in receipts.chunks(ROWS) {
        let query = sqlx::query(APPEND.of(rows.len()));
        rows.iter()
            .fold(query, |query, receipt| bind_receipt(query, receipt))
            .execute(&mut *transaction)
            .await?;
    }
    for rows in messages.chunks(ROWS) {
        let query = sqlx::query(MERGE.of(rows.len()));
        rows.iter().fold(query, bind_message).execute(&mut *transaction).await?;
    }
    transaction.commit().await
}

type Statement<'q> = Query<'q, Db, SqliteArguments>;

fn bind_receipt<'q>(query: Statement<'q>, receipt: &'q DeliveryReceipt) -> Statement<'q> {
    let query = query
        .bind(StoredTime(receipt.received_at))
        .bind(receipt.delivered_at.map(StoredTime))
        .bind(receipt.updated_at.map(StoredTime))
        .bind(receipt.sid.as_str())
        .bind(receipt.account.as_str())
        .bind(<&str>::from(receipt.source))
        .bind(fields_json(&receipt.fields));
    bind_outcome(query, &receipt.outcome)
}

fn bind_message<'q>(query: Statement<'q>, message: &'q Message<'_>) -> Statement<'q> {
    let query = query
        .bind(message.sid.as_str())
        .bind(message.account.as_str())
        .bind(StoredTime(message.first_received_at))
        .bind(StoredTime(message.last_received_at))
        .bind(message.callbacks);
    bind_outcome(query, &message.outcome)
}

/// Binds the columns in the order of `outcome_columns!`.
fn bind_outcome<'q>(query: Statement<'q>, outcome: &'q DeliveryOutcome) -> Statement<'q> {
    let verdict = &outcome.verdict;
    query
        .bind(verdict.sent_at.map(StoredTime))
        .bind(verdict.code)
        .bind(outcome.sms_units)
        .bind(outcome.anomalies.bits())
        .bind(verdict.evidence as i16)
        .bind(verdict.specific)
        .bind(verdict.status.as_deref())
        .bind(verdict.name.as_deref())
        .bind(<&str>::from(verdict.outcome))
        .bind(<&str>::from(verdict.category))
        .bind(<&str>::from(verdict.retry))
        .bind(<&str>::from(verdict.confirmed_by))
        .bind(outcome.recipient.e164.as_deref())
        .bind(outcome.recipient.raw.as_deref())
        .bind(outcome.custom_field.as_deref())
        .bind(labels_json(&outcome.labels))
}
