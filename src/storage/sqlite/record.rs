//! Writes a batch on SQLite: one transaction, which its commit syncs to disk.

use std::sync::LazyLock;

use sqlx::{Sqlite as Db, SqliteConnection, query::Query, sqlite::SqliteArguments};

use super::{Sqlite, begin, give_back, settle::STANDINGS};
use crate::{
    domain::{Batch, DeliveryReceipt, Message},
    storage::{
        fields::fields_json,
        row::{bind_message, labels_json},
        sql::{believe, believed, keep_greater, message_columns, on_conflict_merge},
        time::StoredTime,
        writing::standing::{contested_among, sids_json},
    },
};

/// The most rows of one statement. Passing a statement to the connection's thread costs more than running it for one row, so
/// several rows share one.
const ROWS: usize = 32;

/// The statement's text for each number of rows, made once.
struct ByRows(Vec<String>);

impl ByRows {
    fn new(head: &str, row: &str, tail: &str) -> Self {
        let of = |rows| format!("{head} VALUES {}{tail}", vec![row; rows].join(", "));
        Self((1..=ROWS).map(of).collect())
    }

    fn of(&'static self, rows: usize) -> &'static str {
        &self.0[rows - 1]
    }
}

/// The union of two sets of labels; where both name a label, the greatest of its values.
macro_rules! joined_labels {
    () => {
        "(SELECT json_group_object(key, value) FROM (SELECT key, max(value) AS value \
            FROM (SELECT key, value FROM json_each(messages.labels) \
                UNION ALL SELECT key, value FROM json_each(excluded.labels)) GROUP BY key))"
    };
}

/// Merges messages into the stored ones, as `RECORD` does on Postgres.
static MERGE: LazyLock<ByRows> = LazyLock::new(|| {
    let head = concat!("INSERT INTO messages (", message_columns!(), ")");
    let row = format!("({})", vec!["?"; 23].join(", "));
    ByRows::new(head, &row, on_conflict_merge!("-1", joined_labels!()))
});

/// Appends receipts of stored messages.
static APPEND: LazyLock<ByRows> = LazyLock::new(|| {
    let head =
        "INSERT INTO receipts (message_id, received_at, anomalies, source, signed_for, labels, fields)";
    ByRows::new(head, "((SELECT id FROM messages WHERE sid = ? AND account = ?), ?, ?, ?, ?, ?, ?)", "")
});

/// Every statement that writes a batch, for few and for many rows.
pub fn statements() -> [&'static str; 4] {
    [MERGE.of(1), MERGE.of(ROWS), APPEND.of(1), APPEND.of(ROWS)]
}

impl Sqlite {
    /// Writes a batch. False where some messages are disputed: nothing of those is written.
    pub async fn record(&self, batch: &Batch<'_>) -> sqlx::Result<bool> {
        let mut connection = self.writer().acquire().await?;
        let recorded = record(&mut connection, batch).await;
        if let Err(error) = &recorded {
            self.note(error);
        }
        give_back(connection, recorded)
    }
}

async fn record(connection: &mut SqliteConnection, batch: &Batch<'_>) -> sqlx::Result<bool> {
    let (receipts, messages) = (batch.receipts(), batch.messages());
    let mut transaction = begin(connection).await?;
    let mut merged = 0;
    for rows in messages.chunks(ROWS) {
        let query = sqlx::query(MERGE.of(rows.len()));
        merged += rows.iter().fold(query, bind_message).execute(&mut *transaction).await?.rows_affected();
    }
    let whole = merged == messages.len() as u64;
    if whole {
        append(&mut transaction, receipts).await?;
    } else {
        let contested = contested(&mut transaction, messages).await?;
        let mut plain = receipts.to_vec();
        plain.retain(|receipt| !contested.iter().any(|message| message.is_about(receipt)));
        append(&mut transaction, &plain).await?;
    }
    transaction.commit().await?;
    Ok(whole)
}

async fn append(connection: &mut SqliteConnection, receipts: &[&DeliveryReceipt]) -> sqlx::Result<()> {
    for rows in receipts.chunks(ROWS) {
        let query = sqlx::query(APPEND.of(rows.len()));
        let query = rows.iter().fold(query, |query, receipt| bind_receipt(query, receipt));
        query.execute(&mut *connection).await?;
    }
    Ok(())
}

/// The disputed messages, which were not merged.
async fn contested<'m, 'r>(
    connection: &mut SqliteConnection,
    messages: &'m [Message<'r>],
) -> sqlx::Result<Vec<&'m Message<'r>>> {
    let stored = sqlx::query_as(STANDINGS).bind(sids_json(messages)).fetch_all(connection).await?;
    Ok(contested_among(messages, &stored))
}

type SqliteStatement<'q> = Query<'q, Db, SqliteArguments>;

fn bind_message<'q>(query: SqliteStatement<'q>, message: &'q Message<'_>) -> SqliteStatement<'q> {
    bind_message!(query, message)
}

fn bind_receipt<'q>(query: SqliteStatement<'q>, receipt: &'q DeliveryReceipt) -> SqliteStatement<'q> {
    query
        .bind(receipt.sid.as_str())
        .bind(receipt.account.as_str())
        .bind(StoredTime(receipt.received_at))
        .bind(receipt.outcome.anomalies.of_request().bits())
        .bind(<&str>::from(receipt.source))
        .bind(receipt.signed_for.as_deref())
        .bind(labels_json(&receipt.outcome.labels))
        .bind(fields_json(&receipt.fields))
}
