//! Whose data is erased, and which labels and fields may stay.

use crate::{
    domain::{AccountName, Forgotten, Labels},
    storage::{
        fields::{fields_json, raw_fields},
        row::labels_json,
    },
};

/// Whose data is erased.
#[derive(Clone)]
pub struct Erasure {
    /// The recipient.
    pub recipient: Forgotten,
    /// Only data of this account; of all accounts where it is none.
    pub account: Option<AccountName>,
}

/// How much has been erased.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Erased {
    /// Messages that have no recipient any more.
    pub messages: u64,
    /// Their receipts.
    pub receipts: u64,
    /// Refused bodies that named the recipient, and are deleted.
    pub rejected: u64,
}

impl Erasure {
    pub(in crate::storage) fn account(&self) -> Option<&str> {
        self.account.as_ref().map(AccountName::as_str)
    }

    /// Whether a stored text names the recipient: the text of a recipient, or all fields of a receipt.
    pub(in crate::storage) fn is_named_by(&self, text: &str) -> bool {
        let fields = text.starts_with('{');
        if fields { self.recipient.is_in(text.as_bytes()) } else { self.recipient.is_named_by(text) }
    }

    /// Labels without those that name the number.
    pub(in crate::storage) fn labels(&self, json: &str) -> sqlx::Result<String> {
        let mut labels: Labels = serde_json::from_str(json).map_err(unreadable)?;
        labels.forget(|value| self.recipient.is_in(value.as_bytes()));
        Ok(labels_json(&labels).into_owned())
    }

    /// A receipt's fields without those that may name the recipient.
    pub(in crate::storage) fn fields(&self, json: &str) -> sqlx::Result<String> {
        let fields = raw_fields(&serde_json::from_str(json).map_err(unreadable)?);
        Ok(fields_json(&self.recipient.remainder(fields)))
    }
}

fn unreadable(error: serde_json::Error) -> sqlx::Error {
    sqlx::Error::Decode(error.into())
}
