//! Receipts.

use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{message::VerdictView, words::SourceWord};
use crate::{
    domain::{DeliveryReceipt, Source, StatusTable, Time},
    storage::{EncodedField, StoredReceipt},
};

/// A receipt: what was received, and how it was normalised.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Receipt)]
pub struct ReceiptView<'a> {
    /// Its place in the log.
    id: i64,
    /// Where it came from.
    #[schema(value_type = SourceWord)]
    source: Source,
    /// When it was received.
    #[schema(value_type = String, format = DateTime)]
    received_at: Time,
    /// The recipient that its callback URL was signed for; null where a token authenticated it, or nothing. Empty where
    /// it has been erased.
    signed_for: Option<&'a str>,
    /// Whether it takes part in the outcome: not where its callback URL was signed for another recipient than the
    /// message's.
    takes_part: bool,
    /// Every field as received; the values of one that was given several times are a list.
    #[schema(value_type = Object)]
    fields: &'a Map<String, Value>,
    /// Only where bytes were replaced by U+FFFD: the fields they stand in, key and value in their bytes as they came,
    /// percent-encoded.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    #[schema(value_type = Vec<OriginalField>, required = false)]
    original_bytes: &'a [EncodedField],
    /// What it means by the codes in force.
    normalised: NormalisedView<'a>,
}

/// A field in its bytes, percent-encoded.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only described: the store's own type is written")]
struct OriginalField {
    /// Its key.
    #[schema(example = "CustomField")]
    key: String,
    /// Its value.
    #[schema(example = "Caf%E9")]
    value: String,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Normalised)]
struct NormalisedView<'a> {
    #[serde(flatten)]
    verdict: VerdictView<'a>,
    /// `DeliveredAt`, where given.
    #[schema(value_type = Option<String>, format = DateTime)]
    delivered_at: Option<Time>,
    /// `DateUpdated` or `UpdatedAt`, where given.
    #[schema(value_type = Option<String>, format = DateTime)]
    updated_at: Option<Time>,
}

impl<'a> ReceiptView<'a> {
    /// The same, where it does not take part in the outcome, or does.
    #[must_use]
    pub fn taking_part(self, takes_part: bool) -> Self {
        Self { takes_part, ..self }
    }

    /// A receipt of the log, and what it means by `table`.
    #[must_use]
    pub fn of(receipt: &'a StoredReceipt, meaning: &'a DeliveryReceipt, table: &'a StatusTable) -> Self {
        Self {
            takes_part: true,
            signed_for: receipt.signed_for.as_deref(),
            id: receipt.id,
            source: receipt.source,
            received_at: receipt.received_at,
            fields: &receipt.fields,
            original_bytes: &receipt.originals,
            normalised: NormalisedView {
                verdict: VerdictView::of(&meaning.outcome, table),
                delivered_at: meaning.delivered_at,
                updated_at: meaning.updated_at,
            },
        }
    }
}

/// The receipts of a message, oldest first.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Receipts)]
pub struct ReceiptsView<'a> {
    /// The receipts.
    pub items: Vec<ReceiptView<'a>>,
    /// What to ask for as `cursor` to go on; null at the end.
    pub next_cursor: Option<String>,
}
