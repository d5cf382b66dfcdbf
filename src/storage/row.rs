//! Rows of messages, the same on both databases, and their conversion into types of `domain`.

use std::{borrow::Cow, str::FromStr};

use sqlx::FromRow;

use crate::domain::{
    AccountName, Anomalies, DeliveryOutcome, Evidence, Labels, Message, MessageSid, Recipient, Verdict,
};
use crate::storage::{StoreError, time::StoredTime};

/// The columns of a message's outcome.
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
    pub first_received_at: StoredTime,
    last_received_at: StoredTime,
    decided_at: StoredTime,
    callbacks: i32,
    signed_for: Option<String>,
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
            decided_at: row.decided_at.0,
            callbacks: row.callbacks,
            signed_for: row.signed_for.map(Cow::Owned),
        })
    }
}

/// Binds a message in the order of `message_columns!`. A macro, since the queries of the two databases are different types.
macro_rules! bind_message {
    ($query:expr, $message:expr) => {{
        let (message, outcome) = ($message, &*$message.outcome);
        let verdict = &outcome.verdict;
        $query
            .bind(message.sid.as_str())
            .bind(message.account.as_str())
            .bind(crate::storage::time::StoredTime(message.first_received_at))
            .bind(crate::storage::time::StoredTime(message.last_received_at))
            .bind(crate::storage::time::StoredTime(message.decided_at))
            .bind(message.callbacks)
            .bind(verdict.sent_at.map(crate::storage::time::StoredTime))
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
            .bind(message.signed_for.as_deref())
            .bind(crate::storage::row::labels_json(&outcome.labels))
    }};
}
pub(super) use bind_message;

pub(super) fn word<T: FromStr>(column: &'static str, word: String) -> Result<T, StoreError> {
    word.parse().map_err(|_| StoreError::Word { column, word })
}

/// Labels as the JSON object that the database keeps.
pub(super) fn labels_json(labels: &Labels) -> Cow<'static, str> {
    if labels.is_empty() {
        return Cow::Borrowed("{}");
    }
    Cow::Owned(serde_json::to_string(labels).expect("a map of texts is JSON"))
}
