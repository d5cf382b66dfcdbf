//! Writing a batch: one statement, one round trip, one transaction.

use sqlx::{
    PgConnection, Postgres as Db,
    postgres::{PgArguments, PgBindIterExt},
    query::Query,
};

use crate::{
    domain::{DeliveryOutcome, DeliveryReceipt, Message},
    storage::{
        row::{fields_json, labels_json},
        sql::{
            believe, believed, keep_greater, message_columns, on_conflict_merge, outcome_columns,
            receipt_columns,
        },
    },
};

/// Appends the receipts in `$1..$24`, and merges into the messages both those that have one receipt
/// here, which is its own outcome, and those in `$25..$45`, which have several. The messages are written
/// in the order of their keys, so that replicas lock them in one order.
pub(super) const RECORD: &str = concat!(
    "WITH receipt AS MATERIALIZED (SELECT received_at, delivered_at, updated_at, sid, account, source, \
            fields::json AS fields, alone, ",
    outcome_columns!("labels::jsonb AS labels"),
    " \
        FROM UNNEST($1::timestamptz[], $2::timestamptz[], $3::timestamptz[], $4::text[], $5::text[], $6::text[], \
            $7::text[], $8::bool[], $9::timestamptz[], $10::int4[], $11::int4[], $12::int4[], $13::int2[], \
            $14::bool[], $15::text[], $16::text[], $17::text[], $18::text[], $19::text[], $20::text[], \
            $21::text[], $22::text[], $23::text[], $24::text[]) \
        AS receipt (",
    receipt_columns!(),
    ", alone, ",
    outcome_columns!(),
    ")), \
     appended AS (INSERT INTO receipts (",
    receipt_columns!(),
    ", ",
    outcome_columns!(),
    ") SELECT ",
    receipt_columns!(),
    ", ",
    outcome_columns!(),
    " FROM receipt) \
     INSERT INTO messages (",
    message_columns!(),
    ", ",
    outcome_columns!(),
    ") \
        SELECT * FROM (\
            SELECT sid, account, received_at, received_at, 1, ",
    outcome_columns!(),
    " FROM receipt WHERE alone \
            UNION ALL \
            SELECT ",
    message_columns!(),
    ", ",
    outcome_columns!("labels::jsonb"),
    " \
            FROM UNNEST($25::text[], $26::text[], $27::timestamptz[], $28::timestamptz[], $29::int4[], \
                $30::timestamptz[], $31::int4[], $32::int4[], $33::int4[], $34::int2[], $35::bool[], \
                $36::text[], $37::text[], $38::text[], $39::text[], $40::text[], $41::text[], $42::text[], \
                $43::text[], $44::text[], $45::text[]) \
            AS merged (",
    message_columns!(),
    ", ",
    outcome_columns!(),
    ")) AS message ORDER BY sid COLLATE \"C\", account COLLATE \"C\"",
    on_conflict_merge!("'-infinity'", "jsonb_object_agg", "jsonb_each_text", "max(value COLLATE \"C\")"),
);

/// The same for one receipt, `$1..$23`, which is what comes while there is little to do: without arrays it
/// takes two thirds of the time.
pub(super) const RECORD_ONE: &str = concat!(
    "WITH appended AS (INSERT INTO receipts (",
    receipt_columns!(),
    ", ",
    outcome_columns!(),
    ") VALUES ($1::timestamptz, $2::timestamptz, $3::timestamptz, $4::text, $5::text, $6::text, $7::text::json, \
            $8::timestamptz, $9::int4, $10::int4, $11::int4, $12::int2, $13::bool, $14::text, $15::text, \
            $16::text, $17::text, $18::text, $19::text, $20::text, $21::text, $22::text, $23::text::jsonb)) \
     INSERT INTO messages (",
    message_columns!(),
    ", ",
    outcome_columns!(),
    ") VALUES ($4, $5, $1, $1, 1, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, \
            $23::text::jsonb)",
    on_conflict_merge!("'-infinity'", "jsonb_object_agg", "jsonb_each_text", "max(value COLLATE \"C\")"),
);

/// Writes a batch of receipts, and the messages that they add up to.
pub(super) async fn record(
    connection: &mut PgConnection,
    receipts: &[&DeliveryReceipt],
    messages: &[Message<'_>],
) -> sqlx::Result<()> {
    let merged: Vec<_>;
    let query = if let [receipt] = receipts {
        bind_one(receipt)
    } else {
        merged = messages.iter().filter(|message| message.callbacks > 1).collect();
        bind_batch(receipts, &merged)
    };
    query.execute(connection).await.map(|_| ())
}

fn bind_one(receipt: &DeliveryReceipt) -> Statement<'_> {
    let (outcome, verdict) = (&receipt.outcome, &receipt.outcome.verdict);
    sqlx::query(RECORD_ONE)
        .bind(receipt.received_at)
        .bind(receipt.delivered_at)
        .bind(receipt.updated_at)
        .bind(receipt.sid.as_str())
        .bind(receipt.account.as_str())
        .bind(<&str>::from(receipt.source))
        .bind(fields_json(&receipt.fields))
        .bind(verdict.sent_at)
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

/// `merged` are the messages that several of the receipts are about.
fn bind_batch<'q>(receipts: &'q [&DeliveryReceipt], merged: &'q [&Message<'_>]) -> Statement<'q> {
    let alone = |receipt: &DeliveryReceipt| {
        let key = (&receipt.sid, &receipt.account);
        merged.binary_search_by(|message| message.key().cmp(&key)).is_err()
    };
    let each = receipts.iter();
    let query = sqlx::query(RECORD)
        .bind(each.clone().map(|r| r.received_at).bind_iter())
        .bind(each.clone().map(|r| r.delivered_at).bind_iter())
        .bind(each.clone().map(|r| r.updated_at).bind_iter())
        .bind(each.clone().map(|r| r.sid.as_str()).bind_iter())
        .bind(each.clone().map(|r| r.account.as_str()).bind_iter())
        .bind(each.clone().map(|r| <&str>::from(r.source)).bind_iter())
        .bind(each.clone().map(|r| fields_json(&r.fields)).bind_iter())
        .bind(each.clone().map(|r| alone(r)).bind_iter());
    let each_merged = merged.iter();
    let query = bind_outcomes(query, each.map(|r| &r.outcome))
        .bind(each_merged.clone().map(|m| m.sid.as_str()).bind_iter())
        .bind(each_merged.clone().map(|m| m.account.as_str()).bind_iter())
        .bind(each_merged.clone().map(|m| m.first_received_at).bind_iter())
        .bind(each_merged.clone().map(|m| m.last_received_at).bind_iter())
        .bind(each_merged.clone().map(|m| m.callbacks).bind_iter());
    bind_outcomes(query, each_merged.map(|m| &*m.outcome))
}

type Statement<'q> = Query<'q, Db, PgArguments>;

/// Binds one array per column, in the order of `outcome_columns!`.
fn bind_outcomes<'q>(
    query: Statement<'q>,
    each: impl Iterator<Item = &'q DeliveryOutcome> + Clone + 'q,
) -> Statement<'q> {
    let verdicts = each.clone().map(|o| &o.verdict);
    query
        .bind(verdicts.clone().map(|v| v.sent_at).bind_iter())
        .bind(verdicts.clone().map(|v| v.code).bind_iter())
        .bind(each.clone().map(|o| o.sms_units).bind_iter())
        .bind(each.clone().map(|o| o.anomalies.bits()).bind_iter())
        .bind(verdicts.clone().map(|v| v.evidence as i16).bind_iter())
        .bind(verdicts.clone().map(|v| v.specific).bind_iter())
        .bind(verdicts.clone().map(|v| v.status.as_deref()).bind_iter())
        .bind(verdicts.clone().map(|v| v.name.as_deref()).bind_iter())
        .bind(verdicts.clone().map(|v| <&str>::from(v.outcome)).bind_iter())
        .bind(verdicts.clone().map(|v| <&str>::from(v.category)).bind_iter())
        .bind(verdicts.clone().map(|v| <&str>::from(v.retry)).bind_iter())
        .bind(verdicts.map(|v| <&str>::from(v.confirmed_by)).bind_iter())
        .bind(each.clone().map(|o| o.recipient.e164.as_deref()).bind_iter())
        .bind(each.clone().map(|o| o.recipient.raw.as_deref()).bind_iter())
        .bind(each.clone().map(|o| o.custom_field.as_deref()).bind_iter())
        .bind(each.map(|o| labels_json(&o.labels)).bind_iter())
}
