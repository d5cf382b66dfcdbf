//! Messages.

use serde::Serialize;
use utoipa::ToSchema;

use super::words::{CategoryWord, ConfirmedByWord, OutcomeWord, RetryWord};
use crate::domain::{
    Category, ConfirmedBy, DeliveryOutcome, Labels, Message, Outcome, Retry, StatusTable, Time,
};

/// What is decided about a message, or by one receipt.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Verdict)]
pub(super) struct VerdictView<'a> {
    /// The recipient in E.164, where its text can be read as a number.
    #[schema(example = "+919812345670")]
    to: Option<&'a str>,
    /// The recipient as Exotel wrote it.
    #[schema(example = "09812345670")]
    to_raw: Option<&'a str>,
    /// What became of it.
    #[schema(value_type = OutcomeWord)]
    outcome: Outcome,
    /// Whether nothing further is expected.
    #[serde(rename = "final")]
    is_final: bool,
    /// Who confirmed a delivery.
    #[schema(value_type = ConfirmedByWord)]
    confirmed_by: ConfirmedBy,
    /// The status; a word that stands in no table is as it was received.
    #[schema(example = "sent")]
    status: Option<&'a str>,
    /// The detailed status code.
    #[schema(example = 20005)]
    detailed_status_code: Option<i32>,
    /// The code's name.
    #[schema(example = "DELIVERED_TO_HANDSET")]
    detailed_status: Option<&'a str>,
    /// What the code means.
    meaning: Option<&'a str>,
    /// Where the cause lies.
    #[schema(value_type = CategoryWord)]
    category: Category,
    /// What to do about it.
    #[schema(value_type = RetryWord)]
    retry: Retry,
    /// Parts sent.
    #[schema(example = 1)]
    sms_units: Option<i32>,
    /// When it was sent; of a delivery, when it was delivered.
    #[schema(value_type = Option<String>, format = DateTime)]
    sent_at: Option<Time>,
    /// The sender's own text.
    #[schema(example = "order-7")]
    custom_field: Option<&'a str>,
    /// What the callback URLs carried.
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    labels: &'a Labels,
    /// What is odd about it.
    anomalies: Vec<&'static str>,
}

impl<'a> VerdictView<'a> {
    /// With the meaning that the code, or else the name, has in the table in force.
    pub fn of(outcome: &'a DeliveryOutcome, table: &'a StatusTable) -> Self {
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
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Message)]
pub struct MessageView<'a> {
    /// Its Sid.
    #[schema(example = "0f477d60517e6e6a0f6d9a7e9af8630e")]
    sid: &'a str,
    /// The account whose callback URL was called.
    #[schema(example = "default")]
    account: &'a str,
    #[serde(flatten)]
    verdict: VerdictView<'a>,
    /// When the first receipt came.
    #[schema(value_type = String, format = DateTime)]
    first_received_at: Time,
    /// When the last one came.
    #[schema(value_type = String, format = DateTime)]
    last_received_at: Time,
    /// How many came, duplicates included.
    callbacks: i32,
}

impl<'a> MessageView<'a> {
    /// A message, with what its code means in `table`.
    #[must_use]
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

/// A page of messages.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Messages)]
pub struct MessagesView<'a> {
    /// The messages, newest first.
    pub items: Vec<MessageView<'a>>,
    /// What to ask for as `cursor` to go on; null at the end.
    pub next_cursor: Option<String>,
}
