//! A message as the service knows it: its outcome, and the log of its receipts in brief.

use std::{borrow::Cow, cmp::Ordering};

use super::{AccountName, DeliveryOutcome, DeliveryReceipt, MessageSid, Time};

/// A message, or the part of one that a batch of receipts makes up.
#[derive(Clone, Debug, PartialEq)]
pub struct Message<'a> {
    /// Its Sid.
    pub sid: Cow<'a, MessageSid>,
    /// Its account.
    pub account: Cow<'a, AccountName>,
    /// What its receipts add up to.
    pub outcome: Cow<'a, DeliveryOutcome>,
    /// When the first receipt came.
    pub first_received_at: Time,
    /// When the last one came.
    pub last_received_at: Time,
    /// When the first one came that proves as much, and names the same time of sending, as what is believed.
    pub decided_at: Time,
    /// How many came, duplicates included.
    pub callbacks: i32,
}

impl<'a> Message<'a> {
    /// What one receipt alone makes of its message; nothing is copied.
    #[must_use]
    pub fn of(receipt: &'a DeliveryReceipt) -> Self {
        Self {
            sid: Cow::Borrowed(&receipt.sid),
            account: Cow::Borrowed(&receipt.account),
            outcome: Cow::Borrowed(&receipt.outcome),
            first_received_at: receipt.received_at,
            last_received_at: receipt.received_at,
            decided_at: receipt.received_at,
            callbacks: 1,
        }
    }

    /// The messages of a batch, each once, in the order of sid and account: writers that all keep
    /// to one order cannot deadlock.
    #[must_use]
    pub fn of_batch(receipts: impl IntoIterator<Item = &'a DeliveryReceipt>) -> Vec<Self> {
        let mut messages: Vec<Self> = receipts.into_iter().map(Self::of).collect();
        messages.sort_by(|a, b| a.key().cmp(&b.key()));
        messages.dedup_by(|later, kept| {
            let same = later.key() == kept.key();
            if same {
                kept.absorb(later);
            }
            same
        });
        messages
    }

    /// What a message is told apart by, and sorted by.
    #[must_use]
    pub fn key(&self) -> (&MessageSid, &AccountName) {
        (&self.sid, &self.account)
    }

    fn absorb(&mut self, other: &Self) {
        // By the first parts of the verdict's order, so that it does not matter who is absorbed first.
        let proof = |message: &Self| (message.outcome.verdict.evidence, message.outcome.verdict.sent_at);
        self.decided_at = match proof(self).cmp(&proof(other)) {
            Ordering::Less => other.decided_at,
            Ordering::Equal => self.decided_at.min(other.decided_at),
            Ordering::Greater => self.decided_at,
        };
        self.outcome.to_mut().merge(&other.outcome);
        self.first_received_at = self.first_received_at.min(other.first_received_at);
        self.last_received_at = self.last_received_at.max(other.last_received_at);
        self.callbacks += other.callbacks;
    }
}
