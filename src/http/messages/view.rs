//! How messages and receipts look to those who ask.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::{
    domain::{
        Category, ConfirmedBy, DeliveryOutcome, DeliveryReceipt, Labels, Message, Outcome, Retry, Source,
        StatusTable, Time,
    },
    storage::StoredReceipt,
};

/// What is decided about a message, or by one receipt.
#[derive(Serialize)]
struct VerdictView<'a> {
    to: Option<&'a str>,
    to_raw: Option<&'a str>,
    outcome: Outcome,
    #[serde(rename = "final")]
    is_final: bool,
    confirmed_by: ConfirmedBy,
    status: Option<&'a str>,
    detailed_status_code: Option<i32>,
    detailed_status: Option<&'a str>,
    meaning: Option<&'a str>,
    category: Category,
    retry: Retry,
    sms_units: Option<i32>,
    sent_at: Option<Time>,
    custom_field: Option<&'a str>,
    labels: &'a Labels,
    anomalies: Vec<&'static str>,
}

impl<'a> VerdictView<'a> {
    /// With the meaning that the code, or else the name, has in the table in force.
    fn of(outcome: &'a DeliveryOutcome, table: &'a StatusTable) -> Self {
        let verdict = &outcome.verdict;
        let coded = verdict.code.and_then(|code| table.by_code(code));
        let entry = coded.or_else(|| table.by_name(verdict.name.as_deref()?));
        Self {
            to: outcome.recipient.e164.as_deref(),
            to_raw: outcome.recipient.raw.as_deref(),
            outcome: verdict.outcome,
            is_final: verdict.outcome.is_final(),
            confirmed_by: verdict.confirmed_by,
            status: verdict.status.as_deref(),
            detailed_status_code: verdict.code,
            detailed_status: verdict.name.as_deref(),
            meaning: entry.map(|entry| &*entry.meaning),
            category: verdict.category,
            retry: verdict.retry,
            sms_units: outcome.sms_units,
            sent_at: verdict.sent_at,
            custom_field: outcome.custom_field.as_deref(),
            labels: &outcome.labels,
            anomalies: outcome.anomalies.words().collect(),
        }
    }
}

/// A message.
#[derive(Serialize)]
pub(super) struct MessageView<'a> {
    sid: &'a str,
    account: &'a str,
    #[serde(flatten)]
    verdict: VerdictView<'a>,
    first_received_at: Time,
    last_received_at: Time,
    callbacks: i32,
}

impl<'a> MessageView<'a> {
    /// A message of the store.
    pub fn of(message: &'a Message<'_>, table: &'a StatusTable) -> Self {
        Self {
            sid: message.sid.as_str(),
            account: message.account.as_str(),
            verdict: VerdictView::of(&message.outcome, table),
            first_received_at: message.first_received_at,
            last_received_at: message.last_received_at,
            callbacks: message.callbacks,
        }
    }
}

/// A receipt: what was received, and how it was normalised.
#[derive(Serialize)]
pub(super) struct ReceiptView<'a> {
    id: i64,
    source: Source,
    received_at: Time,
    fields: &'a Map<String, Value>,
    normalised: NormalisedView<'a>,
}

#[derive(Serialize)]
struct NormalisedView<'a> {
    #[serde(flatten)]
    verdict: VerdictView<'a>,
    delivered_at: Option<Time>,
    updated_at: Option<Time>,
}

impl<'a> ReceiptView<'a> {
    /// A receipt of the log, and what it means by `table`.
    pub fn of(receipt: &'a StoredReceipt, meaning: &'a DeliveryReceipt, table: &'a StatusTable) -> Self {
        Self {
            id: receipt.id,
            source: receipt.source,
            received_at: receipt.received_at,
            fields: &receipt.fields,
            normalised: NormalisedView {
                verdict: VerdictView::of(&meaning.outcome, table),
                delivered_at: meaning.delivered_at,
                updated_at: meaning.updated_at,
            },
        }
    }
}
