//! Computes what a transaction of an erasure changes, from what it has read. Each change is one JSON array, for one
//! statement. Pure.

use serde_json::{Value, json};
use sqlx::FromRow;

use crate::storage::{Erasure, time::StoredTime};

/// The position of a receipt in the log of a message.
pub(in crate::storage) type Receipt = (StoredTime, i64);

/// A message that a search has found: it names the recipient, or has texts that may.
#[derive(Debug, FromRow)]
pub(in crate::storage) struct FoundMessage {
    pub sid: String,
    pub account: String,
    pub first_received_at: StoredTime,
    pub id: i64,
    /// Whether its recipient is the one to erase.
    pub named: bool,
    /// Texts of the message that may name the recipient.
    pub texts: Option<String>,
}

/// A message that the transaction has locked.
#[derive(FromRow)]
pub(in crate::storage) struct Locked {
    sid: String,
    account: String,
    id: i64,
    first_received_at: StoredTime,
    last_received_at: StoredTime,
    labels: String,
}

/// A receipt of a locked message.
#[derive(FromRow)]
pub(in crate::storage) struct FoundReceipt {
    /// The place of its message among those that were asked for.
    place: i64,
    id: i64,
    received_at: StoredTime,
    labels: String,
    fields: String,
}

/// What a transaction has read: messages that were asked for, and their receipts in that order.
pub(in crate::storage) struct ReadPart<'a> {
    pub asked: &'a [&'a FoundMessage],
    /// Those of them that still exist, locked.
    pub locked: &'a [Locked],
    /// All of their receipts, or as many as a transaction takes.
    pub receipts: &'a [FoundReceipt],
    pub is_all: bool,
}

/// What a transaction has erased.
pub(in crate::storage) struct ErasedPart {
    pub receipts: u64,
    /// How many messages are erased with all their receipts.
    pub messages: usize,
    /// The last erased receipt of the message behind them, which is not done yet.
    pub after: Option<Receipt>,
}

/// What a transaction writes. None where nothing changes.
pub(in crate::storage) struct Changes {
    pub receipts: Option<String>,
    pub messages: Option<String>,
    pub part: ErasedPart,
}

/// The keys of messages, as the statements take them.
pub(in crate::storage) fn keys(asked: &[&FoundMessage]) -> String {
    let keys: Vec<Value> = asked.iter().map(|found| json!([found.sid, found.account])).collect();
    Value::from(keys).to_string()
}

/// Which receipts to read: all of each message; of the first message only those behind `after`.
pub(in crate::storage) fn logs(asked: &[&FoundMessage], locked: &[Locked], after: Option<Receipt>) -> String {
    let log = |(place, message): (usize, &Locked)| {
        let after = after.filter(|_| place == 0);
        let (after, id) = after.unwrap_or((message.first_received_at, 0));
        json!({"place": place, "message": message.id, "after": micros(after), "id": id,
            "last": micros(message.last_received_at)})
    };
    let placed = locked.iter().filter_map(|message| Some((place_of(asked, message)?, message)));
    Value::from(placed.map(log).collect::<Vec<_>>()).to_string()
}

impl Changes {
    /// The changes that erase what was read. A message that retention has deleted meanwhile counts as erased.
    pub fn of(erasure: &Erasure, read: &ReadPart<'_>) -> sqlx::Result<Self> {
        let ReadPart { asked, locked, receipts, is_all } = read;
        let last = receipts.last().filter(|_| !is_all);
        let done = last.map_or(asked.len(), |last| usize::try_from(last.place).unwrap_or(0));
        let mut changed = Vec::new();
        for receipt in *receipts {
            changed.extend(changed_receipt(erasure, read, receipt)?);
        }
        let mut messages = Vec::new();
        for message in locked.iter().filter(|message| place_of(asked, message).is_some_and(|at| at < done)) {
            let labels = erasure.labels(&message.labels)?;
            messages.push(json!({"sid": message.sid, "account": message.account, "labels": labels}));
        }
        let json = |values: Vec<Value>| (!values.is_empty()).then(|| Value::from(values).to_string());
        let after = last.map(|last| (last.received_at, last.id));
        let part = ErasedPart { receipts: receipts.len() as u64, messages: done, after };
        Ok(Self { receipts: json(changed), messages: json(messages), part })
    }
}

/// The change of a receipt. None where it was erased before, so that a repeated erasure soon reaches the rest.
fn changed_receipt(
    erasure: &Erasure,
    ReadPart { asked, locked, .. }: &ReadPart<'_>,
    receipt: &FoundReceipt,
) -> sqlx::Result<Option<Value>> {
    let labels = erasure.labels(&receipt.labels)?;
    let fields = erasure.fields(&receipt.fields)?;
    let place = usize::try_from(receipt.place).ok();
    let message = locked.iter().find(|message| place_of(asked, message) == place);
    let message = message.filter(|_| labels != receipt.labels || fields != receipt.fields);
    Ok(message.map(|message| {
        json!({"message": message.id, "at": micros(receipt.received_at), "id": receipt.id, "labels": labels,
            "fields": fields})
    }))
}

/// The place of a message among those that were asked for, which are sorted by key.
fn place_of(asked: &[&FoundMessage], message: &Locked) -> Option<usize> {
    let key = (&message.sid, &message.account);
    asked.binary_search_by(|found| (&found.sid, &found.account).cmp(&key)).ok()
}

fn micros(time: StoredTime) -> i64 {
    time.0.timestamp_micros()
}
