//! Finds the messages of a batch that are disputed by what is stored. May import `domain` only.

use sqlx::FromRow;

use crate::domain::{Anomalies, Message, Standing};

/// For whom a stored message's receipts were signed, and to whom it is.
#[derive(FromRow)]
pub(in crate::storage) struct StandingRow {
    sid: String,
    account: String,
    recipient: Option<String>,
    signed_for: Option<String>,
    anomalies: i32,
}

/// The sids of messages as a JSON array.
pub(in crate::storage) fn sids_json(messages: &[Message<'_>]) -> String {
    messages.iter().map(|message| message.sid.as_str()).collect::<serde_json::Value>().to_string()
}

/// The messages that are disputed by what is stored.
pub(in crate::storage) fn contested_among<'m, 'r>(
    messages: &'m [Message<'r>],
    stored: &[StandingRow],
) -> Vec<&'m Message<'r>> {
    let stands_against = |message: &Message<'_>, row: &StandingRow| {
        let standing = Standing {
            signed_for: row.signed_for.as_deref(),
            recipient: row.recipient.as_deref(),
            anomalies: Anomalies::from_bits(row.anomalies),
        };
        (message.sid.as_str(), message.account.as_str()) == (&*row.sid, &*row.account)
            && !standing.agrees_with(&message.standing())
    };
    let contested = |message: &&Message<'_>| stored.iter().any(|row| stands_against(message, row));
    messages.iter().filter(contested).collect()
}
