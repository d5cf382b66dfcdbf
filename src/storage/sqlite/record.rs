//! Writing a batch: one transaction, synced to disk by its commit.

use std::sync::LazyLock;

use sqlx::{Sqlite as Db, query::Query, sqlite::SqliteArguments};

use super::Sqlite;
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

/// How many rows one statement writes: handing a statement to the thread that owns the connection costs
/// more than running it for one row.
const ROWS: usize = 32;

/// Appends receipts; before the rows.
const APPEND: &str =
    concat!("INSERT INTO receipts (", receipt_columns!(), ", ", outcome_columns!(), ") VALUES ");
const RECEIPT_COLUMNS: usize = 23;

/// Merges messages into the stored ones; before the rows, and after them.
const MERGE: &str =
    concat!("INSERT INTO messages (", message_columns!(), ", ", outcome_columns!(), ") VALUES ");
const MESSAGE_COLUMNS: usize = 21;
const ON_CONFLICT: &str = on_conflict_merge!("-1", "json_group_object", "json_each", "max(value)");

/// One statement for a number of rows.
struct Rows {
    one: String,
    many: String,
}

impl Rows {
    fn new((head, columns, tail): (&str, usize, &str)) -> Self {
        let row = format!("({})", vec!["?"; columns].join(", "));
        let of = |rows: usize| format!("{head}{}{tail}", vec![row.as_str(); rows].join(", "));
        Self { one: of(1), many: of(ROWS) }
    }

    fn of(&'static self, rows: usize) -> &'static str {
        if rows == ROWS { &self.many } else { &self.one }
    }
}

static APPEND_RECEIPTS: LazyLock<Rows> = LazyLock::new(|| Rows::new((APPEND, RECEIPT_COLUMNS, "")));
static MERGE_MESSAGES: LazyLock<Rows> = LazyLock::new(|| Rows::new((MERGE, MESSAGE_COLUMNS, ON_CONFLICT)));

/// Every statement that writes a batch.
pub fn statements() -> [&'static str; 4] {
    [&APPEND_RECEIPTS.one, &APPEND_RECEIPTS.many, &MERGE_MESSAGES.one, &MERGE_MESSAGES.many]
        .map(String::as_str)
}

impl Sqlite {
    pub async fn record(&self, receipts: &[&DeliveryReceipt], messages: &[Message<'_>]) -> sqlx::Result<()> {
        // IMMEDIATE: a transaction that begins by reading could not always go on to write.
        let mut transaction = self.writer().begin_with("BEGIN IMMEDIATE").await?;
        for rows in chunks(receipts) {
            let query = sqlx::query(APPEND_RECEIPTS.of(rows.len()));
            rows.iter()
                .fold(query, |query, receipt| bind_receipt(query, receipt))
                .execute(&mut *transaction)
                .await?;
        }
        for rows in chunks(messages) {
            let query = sqlx::query(MERGE_MESSAGES.of(rows.len()));
            rows.iter().fold(query, bind_message).execute(&mut *transaction).await?;
        }
        transaction.commit().await
    }
}

/// As many rows at a time as one statement takes, and the rest one by one.
fn chunks<T>(rows: &[T]) -> impl Iterator<Item = &[T]> {
    let whole = rows.chunks_exact(ROWS);
    let rest = whole.remainder().chunks(1);
    whole.chain(rest)
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
