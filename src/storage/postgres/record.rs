//! Writes a batch on Postgres: one statement, one round trip, one transaction.

use sqlx::{
    PgConnection, Postgres as Db,
    postgres::{PgArguments, PgBindIterExt},
    query::Query,
};

use crate::{
    domain::{Batch, DeliveryReceipt, Message},
    storage::{
        fields::fields_json,
        row::{bind_message, labels_json},
        sql::{believe, believed, keep_greater, message_columns, on_conflict_merge},
    },
};

/// The merge with a stored message, as Postgres joins labels.
macro_rules! merge {
    () => {
        on_conflict_merge!("'-infinity'", "join_labels(messages.labels, excluded.labels)")
    };
}

/// Merges the messages in `$1..$23` into the stored ones, and appends the receipts in `$24..$31` to the log.
/// Messages are sorted by key, so that replicas lock them in one order and cannot deadlock. A disputed message is left
/// unchanged, and its receipts are not appended.
pub(super) const RECORD: &str = concat!(
    "WITH message AS (INSERT INTO messages (",
    message_columns!(),
    ") SELECT ",
    message_columns!("labels::jsonb"),
    " FROM UNNEST($1::text[], $2::text[], $3::timestamptz[], $4::timestamptz[], $5::timestamptz[], $6::int4[], \
            $7::timestamptz[], $8::int4[], $9::int4[], $10::int4[], $11::int2[], $12::bool[], $13::text[], \
            $14::text[], $15::text[], $16::text[], $17::text[], $18::text[], $19::text[], $20::text[], \
            $21::text[], $22::text[], $23::text[]) \
        AS message (",
    message_columns!(),
    ")",
    merge!(),
    " RETURNING id, sid, account) \
     INSERT INTO receipts (message_id, received_at, anomalies, source, signed_for, labels, fields) \
        SELECT message.id, received_at, anomalies, source, signed_for, labels::json, fields::json \
        FROM UNNEST($24::text[], $25::text[], $26::timestamptz[], $27::int4[], $28::text[], $29::text[], \
            $30::text[], $31::text[]) WITH ORDINALITY \
        AS receipt (sid, account, received_at, anomalies, source, signed_for, labels, fields, place) \
        JOIN message USING (sid, account) ORDER BY place",
);

/// The same for a single receipt, the usual batch at low load. Without arrays it takes two thirds of the time.
pub(super) const RECORD_ONE: &str = concat!(
    "WITH message AS (INSERT INTO messages (",
    message_columns!(),
    ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, \
            $21, $22, $23::text::jsonb)",
    merge!(),
    " RETURNING id) \
     INSERT INTO receipts (message_id, received_at, anomalies, source, signed_for, labels, fields) \
        SELECT id, $24, $25, $26, $27, $28::text::json, $29::text::json FROM message",
);

/// Writes a batch. False where some messages are disputed: nothing of those is written.
pub(super) async fn record(connection: &mut PgConnection, batch: &Batch<'_>) -> sqlx::Result<bool> {
    let done = bind(batch).execute(connection).await?;
    Ok(done.rows_affected() == batch.receipts().len() as u64)
}

/// The same by an unnamed statement, which leaves nothing behind in the session: a pooler lends it to others.
pub(super) async fn record_unnamed(connection: &mut PgConnection, batch: &Batch<'_>) -> sqlx::Result<bool> {
    let done = bind(batch).persistent(false).execute(connection).await?;
    Ok(done.rows_affected() == batch.receipts().len() as u64)
}

type PgStatement<'q> = Query<'q, Db, PgArguments>;

fn bind<'q>(batch: &'q Batch<'_>) -> PgStatement<'q> {
    match (batch.receipts(), batch.messages()) {
        ([receipt], [message]) => bind_one(receipt, message),
        (receipts, messages) => bind_batch(receipts, messages),
    }
}

fn bind_one<'q>(receipt: &'q DeliveryReceipt, message: &'q Message<'_>) -> PgStatement<'q> {
    bind_message!(sqlx::query(RECORD_ONE), message)
        .bind(receipt.received_at)
        .bind(receipt.outcome.anomalies.of_request().bits())
        .bind(<&str>::from(receipt.source))
        .bind(receipt.signed_for.as_deref())
        .bind(labels_json(&receipt.outcome.labels))
        .bind(fields_json(&receipt.fields))
}

/// Binds one array for each column.
fn bind_batch<'q>(receipts: &'q [&DeliveryReceipt], messages: &'q [Message<'_>]) -> PgStatement<'q> {
    let each = messages.iter();
    let outcomes = each.clone().map(|m| &*m.outcome);
    let verdicts = outcomes.clone().map(|o| &o.verdict);
    let query = sqlx::query(RECORD)
        .bind(each.clone().map(|m| m.sid.as_str()).bind_iter())
        .bind(each.clone().map(|m| m.account.as_str()).bind_iter())
        .bind(each.clone().map(|m| m.first_received_at).bind_iter())
        .bind(each.clone().map(|m| m.last_received_at).bind_iter())
        .bind(each.clone().map(|m| m.decided_at).bind_iter())
        .bind(each.clone().map(|m| m.callbacks).bind_iter())
        .bind(verdicts.clone().map(|v| v.sent_at).bind_iter())
        .bind(verdicts.clone().map(|v| v.code).bind_iter())
        .bind(outcomes.clone().map(|o| o.sms_units).bind_iter())
        .bind(outcomes.clone().map(|o| o.anomalies.bits()).bind_iter())
        .bind(verdicts.clone().map(|v| v.evidence as i16).bind_iter())
        .bind(verdicts.clone().map(|v| v.specific).bind_iter())
        .bind(verdicts.clone().map(|v| v.status.as_deref()).bind_iter())
        .bind(verdicts.clone().map(|v| v.name.as_deref()).bind_iter())
        .bind(verdicts.clone().map(|v| <&str>::from(v.outcome)).bind_iter())
        .bind(verdicts.clone().map(|v| <&str>::from(v.category)).bind_iter())
        .bind(verdicts.clone().map(|v| <&str>::from(v.retry)).bind_iter())
        .bind(verdicts.map(|v| <&str>::from(v.confirmed_by)).bind_iter())
        .bind(outcomes.clone().map(|o| o.recipient.e164.as_deref()).bind_iter())
        .bind(outcomes.clone().map(|o| o.recipient.raw.as_deref()).bind_iter())
        .bind(outcomes.clone().map(|o| o.custom_field.as_deref()).bind_iter())
        .bind(each.map(|m| m.signed_for.as_deref()).bind_iter())
        .bind(outcomes.map(|o| labels_json(&o.labels)).bind_iter());
    let each = receipts.iter();
    query
        .bind(each.clone().map(|r| r.sid.as_str()).bind_iter())
        .bind(each.clone().map(|r| r.account.as_str()).bind_iter())
        .bind(each.clone().map(|r| r.received_at).bind_iter())
        .bind(each.clone().map(|r| r.outcome.anomalies.of_request().bits()).bind_iter())
        .bind(each.clone().map(|r| <&str>::from(r.source)).bind_iter())
        .bind(each.clone().map(|r| r.signed_for.as_deref()).bind_iter())
        .bind(each.clone().map(|r| labels_json(&r.outcome.labels)).bind_iter())
        .bind(each.map(|r| fields_json(&r.fields)).bind_iter())
}
