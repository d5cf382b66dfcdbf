//! Computes a disputed message from its stored and its new receipts. Pure: no database is asked here.

use std::{borrow::Cow, collections::HashMap, sync::Arc};

use crate::domain::{Account, AccountName, DeliveryReceipt, Message, StatusTable, participation};
use crate::storage::{StoredReceipt, receipt::ReceiptRow};

/// Normalises stored receipts again, by the status codes in force and the settings of their accounts.
#[derive(Clone, Debug, Default)]
pub struct Normaliser {
    /// The status codes in force.
    pub table: Arc<StatusTable>,
    /// The configured accounts.
    pub accounts: Arc<HashMap<AccountName, Account>>,
}

/// The most stored receipts of a message that are read again. A message has a handful. One with more is being flooded: its
/// outcome so far then stands in for its history.
pub(in crate::storage) const LONGEST_HISTORY: usize = 256;

/// New receipts of one disputed message.
pub(in crate::storage) struct Settling<'s> {
    pub receipts: &'s [&'s DeliveryReceipt],
    pub normaliser: &'s Normaliser,
}

impl Settling<'_> {
    /// The stored receipts, normalised. Where some were deleted, erased or cannot be read, or where there are too many, one
    /// receipt that is made of the stored message stands in for all of them.
    pub fn history(&self, stored: &Message<'_>, rows: Vec<ReceiptRow>) -> Vec<DeliveryReceipt> {
        let account = self.normaliser.accounts.get(&*stored.account);
        let unknown = || Cow::Owned(Account::unconfigured(stored.account.clone().into_owned()));
        let account = account.map_or_else(unknown, Cow::Borrowed);
        let whole = rows.len() <= LONGEST_HISTORY && usize::try_from(stored.callbacks) == Ok(rows.len());
        let read = |row: ReceiptRow| {
            let receipt = StoredReceipt::try_from(row).ok()?;
            let readable = Some(receipt).filter(|receipt| !receipt.is_erased())?;
            readable.normalise(&account, &self.normaliser.table).ok()
        };
        let history = whole.then(|| rows.into_iter().map(read).collect::<Option<Vec<_>>>()).flatten();
        history.unwrap_or_else(|| vec![stored.as_receipt()])
    }

    /// The message, computed from stored and new receipts.
    pub fn settled<'m>(&'m self, stored: &Message<'m>, history: &'m [DeliveryReceipt]) -> Message<'m> {
        let fresh = Message::of_history(self.receipts);
        Message {
            first_received_at: stored.first_received_at.min(fresh.first_received_at),
            last_received_at: stored.last_received_at.max(fresh.last_received_at),
            callbacks: stored.callbacks + fresh.callbacks,
            ..Message::of_history(&self.with(history))
        }
    }

    /// How many receipts are excluded now that took part before, or are new.
    pub fn excluded_of(&self, history: &[DeliveryReceipt]) -> usize {
        let count =
            |receipts: &[&DeliveryReceipt]| participation(receipts).iter().filter(|part| !**part).count();
        let before = count(&history.iter().collect::<Vec<_>>());
        count(&self.with(history)).saturating_sub(before)
    }

    fn with<'m>(&'m self, history: &'m [DeliveryReceipt]) -> Vec<&'m DeliveryReceipt> {
        history.iter().chain(self.receipts.iter().copied()).collect()
    }
}
