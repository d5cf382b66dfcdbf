//! Receipts as they are stored.

use serde_json::{Map, Value};
use sqlx::FromRow;

use crate::domain::{
    Account, Anomalies, DeliveryReceipt, Labels, Reception, Source, StatusCallback, StatusTable, Time,
};
use crate::storage::{
    EncodedField, StoreError,
    fields::{KeptFields, raw_fields},
    row::word,
    time::StoredTime,
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

/// A receipt as it is stored: what was received. What it means is computed when it is read, by the status codes in force.
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
    /// The fields whose bytes are not all in `fields`.
    pub originals: Vec<EncodedField>,
}

/// Shows the id only: the rest is personal data.
impl std::fmt::Debug for StoredReceipt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoredReceipt").field("id", &self.id).finish_non_exhaustive()
    }
}

impl TryFrom<ReceiptRow> for StoredReceipt {
    type Error = StoreError;

    fn try_from(row: ReceiptRow) -> Result<Self, StoreError> {
        let KeptFields { fields, originals } = KeptFields::read(&row.fields)?;
        Ok(Self {
            id: row.id,
            received_at: row.received_at.0,
            source: word("source", row.source)?,
            anomalies: Anomalies::from_bits(row.anomalies),
            signed_for: row.signed_for,
            labels: serde_json::from_str(&row.labels)?,
            fields,
            originals,
        })
    }
}

impl StoredReceipt {
    /// Whether the recipient that its callback URL was signed for has been erased.
    #[must_use]
    pub fn is_erased(&self) -> bool {
        self.signed_for.as_deref() == Some("")
    }

    /// Normalises it by `table` and the settings of `account`.
    ///
    /// # Errors
    /// [`StoreError`] where its fields are no callback, so that another program must have written it.
    pub fn normalise(&self, account: &Account, table: &StatusTable) -> Result<DeliveryReceipt, StoreError> {
        let callback = StatusCallback::from_fields(raw_fields(&self.fields));
        let callback = callback.map_err(|(reason, _)| StoreError::Receipt { id: self.id, reason })?;
        let &Self { source, anomalies, received_at, .. } = self;
        let (labels, signed_for) = (self.labels.clone(), self.signed_for.clone());
        let reception = Reception { account, table, labels, anomalies, source, received_at, signed_for };
        Ok(DeliveryReceipt::normalise(callback, reception))
    }
}
