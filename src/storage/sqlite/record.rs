//! Writing a batch: one transaction, synced to disk by its commit.

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

/// Appends one receipt.
pub(super) const APPEND_RECEIPT: &str = concat!(
    "INSERT INTO receipts (",
    receipt_columns!(),
    ", ",
    outcome_columns!(),
    ") \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, \
        $21, $22, $23)"
);

/// Merges one message into the stored one.
pub(super) const MERGE_MESSAGE: &str = concat!(
    "INSERT INTO messages (",
    message_columns!(),
    ", ",
    outcome_columns!(),
    ") \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)",
    on_conflict_merge!("-1", "json_group_object", "json_each", "max(value)"),
);

impl Sqlite {
    pub async fn record(&self, receipts: &[DeliveryReceipt], messages: &[Message<'_>]) -> sqlx::Result<()> {
        // IMMEDIATE: a transaction that begins by reading could not always go on to write.
        let mut transaction = self.writer().begin_with("BEGIN IMMEDIATE").await?;
        for receipt in receipts {
            append(receipt).execute(&mut *transaction).await?;
        }
        for message in messages {
            merge(message).execute(&mut *transaction).await?;
        }
        transaction.commit().await
    }
}

type Statement<'q> = Query<'q, Db, SqliteArguments>;

fn append(receipt: &DeliveryReceipt) -> Statement<'_> {
    let query = sqlx::query(APPEND_RECEIPT)
        .bind(StoredTime(receipt.received_at))
        .bind(receipt.delivered_at.map(StoredTime))
        .bind(receipt.updated_at.map(StoredTime))
        .bind(receipt.sid.as_str())
        .bind(receipt.account.as_str())
        .bind(<&str>::from(receipt.source))
        .bind(fields_json(&receipt.fields));
    bind_outcome(query, &receipt.outcome)
}

fn merge<'q>(message: &'q Message<'_>) -> Statement<'q> {
    let query = sqlx::query(MERGE_MESSAGE)
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
