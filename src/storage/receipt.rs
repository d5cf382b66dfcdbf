//! Receipts as the log keeps them: fields as received, both ways.

use serde::ser::{SerializeMap, Serializer};
use serde_json::{Map, Value};
use sqlx::FromRow;

use super::{StoreError, row::word, time::StoredTime};
use crate::domain::{
    Account, Anomalies, DeliveryReceipt, Labels, RawField, Reception, Source, StatusCallback, StatusTable,
    Time,
};

/// A row of `receipts`.
#[derive(FromRow)]
pub(super) struct ReceiptRow {
    pub id: i64,
    pub received_at: StoredTime,
    anomalies: i32,
    source: String,
    signed_for: Option<String>,
    labels: String,
    fields: String,
}

/// A receipt as the log keeps it: what was received. What it means follows, by the codes in force.
#[derive(Clone)]
pub struct StoredReceipt {
    /// Its place in the log.
    pub id: i64,
    /// When it was received.
    pub received_at: Time,
    /// Where it came from.
    pub source: Source,
    /// What was odd about the request.
    pub anomalies: Anomalies,
    /// The recipient that its callback URL was signed for; empty where that has been erased.
    pub signed_for: Option<String>,
    /// Its labels.
    pub labels: Labels,
    /// Every field as received; the values of one that was given several times are a list.
    pub fields: Map<String, Value>,
}

/// Nothing of a receipt but its place: the rest is nobody's business.
impl std::fmt::Debug for StoredReceipt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoredReceipt").field("id", &self.id).finish_non_exhaustive()
    }
}

impl TryFrom<ReceiptRow> for StoredReceipt {
    type Error = StoreError;

    fn try_from(row: ReceiptRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.id,
            received_at: row.received_at.0,
            source: word("source", row.source)?,
            anomalies: Anomalies::from_bits(row.anomalies),
            signed_for: row.signed_for,
            labels: serde_json::from_str(&row.labels)?,
            fields: serde_json::from_str(&row.fields)?,
        })
    }
}

impl StoredReceipt {
    /// Whether the recipient that its callback URL was signed for has been erased.
    #[must_use]
    pub fn is_erased(&self) -> bool {
        self.signed_for.as_deref() == Some("")
    }

    /// What it means by `table`, read as a callback of `account`.
    ///
    /// # Errors
    /// [`StoreError`] where it is no callback: somebody else wrote it.
    pub fn normalise(&self, account: &Account, table: &StatusTable) -> Result<DeliveryReceipt, StoreError> {
        let callback = StatusCallback::from_fields(raw_fields(&self.fields));
        let callback = callback.map_err(|(reason, _)| StoreError::Receipt { id: self.id, reason })?;
        let &Self { source, anomalies, received_at, .. } = self;
        let (labels, signed_for) = (self.labels.clone(), self.signed_for.clone());
        let reception = Reception { account, table, labels, anomalies, source, received_at, signed_for };
        Ok(DeliveryReceipt::normalise(callback, reception))
    }
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

/// The way back from [`fields_json`].
pub(super) fn raw_fields(object: &Map<String, Value>) -> Vec<RawField> {
    let each = object.iter().flat_map(|(key, value)| match value {
        Value::Array(values) => values.iter().map(|value| (key, value)).collect(),
        value => vec![(key, value)],
    });
    each.map(|(key, value)| RawField { key: key.clone().into(), value: value.as_str().map(str::to_owned) })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn raw_fields_keep_their_order_and_lose_nothing() {
        let field = |key: &str, value: Option<&str>| RawField {
            key: key.to_owned().into(),
            value: value.map(Into::into),
        };
        let fields = [
            field("SmsSid", Some("s\"1")),
            field("z", Some("1")),
            field("Null", None),
            field("z", Some("2")),
            field("SmsSid", Some("s\"1")),
        ];
        let json = fields_json(&fields);
        assert_eq!(json, r#"{"SmsSid":"s\"1","z":["1","2"],"Null":null}"#);
        let read = raw_fields(&serde_json::from_str(&json).unwrap());
        assert_eq!(read, [&fields[0], &fields[1], &fields[3], &fields[2]].map(Clone::clone));
    }
}
