//! Rows that both backends share, and how they become what the domain knows.

use std::{borrow::Cow, str::FromStr};

use serde::ser::{SerializeMap, Serializer};
use sqlx::FromRow;

use super::{StoreError, time::StoredTime};
use crate::domain::{
    AccountName, Anomalies, DeliveryOutcome, Evidence, Labels, Message, MessageSid, RawField, Recipient,
    Source, Time, Verdict,
};

/// The outcome columns of either table.
#[derive(FromRow)]
pub(super) struct OutcomeRow {
    sent_at: Option<StoredTime>,
    detailed_status_code: Option<i32>,
    sms_units: Option<i32>,
    anomalies: i32,
    evidence: i16,
    specific: bool,
    status: Option<String>,
    detailed_status: Option<String>,
    outcome: String,
    category: String,
    retry: String,
    confirmed_by: String,
    recipient: Option<String>,
    recipient_raw: Option<String>,
    custom_field: Option<String>,
    labels: String,
}

impl TryFrom<OutcomeRow> for DeliveryOutcome {
    type Error = StoreError;

    fn try_from(row: OutcomeRow) -> Result<Self, StoreError> {
        let evidence = Evidence::from_repr(row.evidence);
        let unknown = || StoreError::Word { column: "evidence", word: row.evidence.to_string() };
        Ok(Self {
            verdict: Verdict {
                evidence: evidence.ok_or_else(unknown)?,
                sent_at: row.sent_at.map(|time| time.0),
                specific: row.specific,
                code: row.detailed_status_code,
                name: row.detailed_status.map(Cow::Owned),
                status: row.status.map(Cow::Owned),
                outcome: word("outcome", row.outcome)?,
                category: word("category", row.category)?,
                retry: word("retry", row.retry)?,
                confirmed_by: word("confirmed_by", row.confirmed_by)?,
            },
            sms_units: row.sms_units,
            custom_field: row.custom_field,
            recipient: Recipient { e164: row.recipient, raw: row.recipient_raw },
            labels: serde_json::from_str(&row.labels)?,
            anomalies: Anomalies::from_bits(row.anomalies),
        })
    }
}

/// A row of `messages`.
#[derive(FromRow)]
pub(super) struct MessageRow {
    sid: String,
    account: String,
    first_received_at: StoredTime,
    last_received_at: StoredTime,
    callbacks: i32,
    #[sqlx(flatten)]
    outcome: OutcomeRow,
}

impl TryFrom<MessageRow> for Message<'static> {
    type Error = StoreError;

    fn try_from(row: MessageRow) -> Result<Self, StoreError> {
        let sid = MessageSid::new(&row.sid).map_err(|_| StoreError::Word { column: "sid", word: row.sid })?;
        let account = AccountName::new(&row.account);
        Ok(Self {
            sid: Cow::Owned(sid),
            account: Cow::Owned(
                account.map_err(|_| StoreError::Word { column: "account", word: row.account })?,
            ),
            outcome: Cow::Owned(row.outcome.try_into()?),
            first_received_at: row.first_received_at.0,
            last_received_at: row.last_received_at.0,
            callbacks: row.callbacks,
        })
    }
}

/// A row of `receipts`.
#[derive(FromRow)]
pub(super) struct ReceiptRow {
    pub id: i64,
    pub received_at: StoredTime,
    delivered_at: Option<StoredTime>,
    updated_at: Option<StoredTime>,
    source: String,
    fields: String,
    #[sqlx(flatten)]
    outcome: OutcomeRow,
}

/// A receipt as the log keeps it.
#[derive(Clone, Debug)]
pub struct StoredReceipt {
    /// Its place in the log.
    pub id: i64,
    /// When it was received.
    pub received_at: Time,
    /// Where it came from.
    pub source: Source,
    /// Every field as received, as a JSON object.
    pub fields: serde_json::Value,
    /// What it says about the message.
    pub outcome: DeliveryOutcome,
    /// `DeliveredAt`, where given.
    pub delivered_at: Option<Time>,
    /// `DateUpdated` or `UpdatedAt`, where given.
    pub updated_at: Option<Time>,
}

impl TryFrom<ReceiptRow> for StoredReceipt {
    type Error = StoreError;

    fn try_from(row: ReceiptRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.id,
            received_at: row.received_at.0,
            source: word("source", row.source)?,
            fields: serde_json::from_str(&row.fields)?,
            outcome: row.outcome.try_into()?,
            delivered_at: row.delivered_at.map(|time| time.0),
            updated_at: row.updated_at.map(|time| time.0),
        })
    }
}

fn word<T: FromStr>(column: &'static str, word: String) -> Result<T, StoreError> {
    word.parse().map_err(|_| StoreError::Word { column, word })
}

/// Labels as the JSON object that the database keeps.
pub(super) fn labels_json(labels: &Labels) -> Cow<'static, str> {
    if labels.is_empty() {
        return Cow::Borrowed("{}");
    }
    Cow::Owned(serde_json::to_string(labels).expect("a map of texts is JSON"))
}

/// Raw fields as one JSON object in the order received; what an unknown key says several times
/// becomes a list.
pub(super) fn fields_json(fields: &[RawField]) -> String {
    let mut json = Vec::with_capacity(256);
    let mut serializer = serde_json::Serializer::new(&mut json);
    write_fields(fields, &mut serializer).expect("texts are JSON");
    String::from_utf8(json).expect("JSON is UTF-8")
}

fn write_fields<S: Serializer>(fields: &[RawField], serializer: S) -> Result<S::Ok, S::Error> {
    let mut object = serializer.serialize_map(None)?;
    for (at, field) in fields.iter().enumerate() {
        if fields[..at].iter().any(|earlier| earlier.key == field.key) {
            continue;
        }
        let later = fields[at + 1..].iter().filter(|later| later.key == field.key);
        let mut values: Vec<_> =
            later.map(|later| &later.value).filter(|&value| *value != field.value).collect();
        if values.is_empty() {
            object.serialize_entry(&field.key, &field.value)?;
        } else {
            values.insert(0, &field.value);
            object.serialize_entry(&field.key, &values)?;
        }
    }
    object.end()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn raw_fields_keep_their_order_and_lose_nothing() {
        let field =
            |key: &str, value: Option<&str>| RawField { key: key.into(), value: value.map(Into::into) };
        let fields = [
            field("SmsSid", Some("s\"1")),
            field("z", Some("1")),
            field("Null", None),
            field("z", Some("2")),
            field("SmsSid", Some("s\"1")),
        ];
        assert_eq!(fields_json(&fields), r#"{"SmsSid":"s\"1","z":["1","2"],"Null":null}"#);
    }
}
