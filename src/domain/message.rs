//! A message as the service knows it: its outcome, and the log of its receipts in brief.

use std::{borrow::Cow, cmp::Ordering};

use super::{
    AccountName, Anomaly, DeliveryOutcome, DeliveryReceipt, MessageSid, Source, Standing, Time,
    participation::participation,
};

/// A message, or the part of one that a batch of receipts makes up.
#[derive(Clone, Debug, PartialEq)]
pub struct Message<'a> {
    /// Its Sid.
    pub sid: Cow<'a, MessageSid>,
    /// Its account.
    pub account: Cow<'a, AccountName>,
    /// The join of its receipts.
    pub outcome: Cow<'a, DeliveryOutcome>,
    /// When the first receipt came.
    pub first_received_at: Time,
    /// When the last one came.
    pub last_received_at: Time,
    /// When the first one came that proves as much, and names the same time of sending, as what is believed.
    pub decided_at: Time,
    /// How many came, duplicates included.
    pub callbacks: i32,
    /// The recipient that signed receipts which take part are signed for, where no other receipt names a number.
    pub signed_for: Option<Cow<'a, str>>,
}

impl<'a> Message<'a> {
    /// The message of a single receipt; borrows from it.
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
            signed_for: receipt.signed_for.as_deref().map(Cow::Borrowed),
        }
    }

    /// The messages of a batch, each once, in the order of sid and account: writers that all keep
    /// to one order cannot deadlock.
    #[must_use]
    pub fn of_batch(receipts: impl IntoIterator<Item = &'a DeliveryReceipt>) -> Vec<Self> {
        let mut receipts: Vec<_> = receipts.into_iter().collect();
        let key = |receipt: &&'a DeliveryReceipt| (&receipt.sid, &receipt.account);
        receipts.sort_by(|a, b| key(a).cmp(&key(b)));
        receipts.chunk_by(|a, b| key(a) == key(b)).map(Self::of_receipts).collect()
    }

    /// What receipts of one message, of which there is one at least, make of it.
    fn of_receipts(receipts: &[&'a DeliveryReceipt]) -> Self {
        match receipts {
            [receipt] => Self::of(receipt),
            _ if receipts.iter().all(|receipt| receipt.signed_for.is_none()) => Self::joined(receipts),
            _ => Self::of_history(receipts),
        }
    }

    /// The join of receipts that all take part.
    fn joined(receipts: &[&'a DeliveryReceipt]) -> Self {
        let mut messages = receipts.iter().copied().map(Self::of);
        let mut joined = messages.next().expect("a message has a receipt");
        messages.for_each(|message| joined.absorb(&message));
        joined
    }

    /// What all receipts of one message make of it, by the rule that says which of them take part. What counts the
    /// receipts counts all of them.
    ///
    /// # Panics
    /// Where there is no receipt.
    #[must_use]
    pub fn of_history(receipts: &[&'a DeliveryReceipt]) -> Self {
        let takes_part = participation(receipts);
        let parts = receipts.iter().zip(takes_part).filter(|(_, takes_part)| *takes_part);
        let parts: Vec<&DeliveryReceipt> = parts.map(|(receipt, _)| *receipt).collect();
        let names = |receipt: &&DeliveryReceipt| receipt.signed_for.is_none() && receipt.number().is_some();
        let signed_for = parts.iter().find_map(|receipt| receipt.signed_for.as_deref());
        let signed_for = signed_for.filter(|_| !parts.iter().any(names)).map(Cow::Borrowed);
        let mut message = Self { signed_for, ..Self::joined(receipts) };
        if parts.len() < receipts.len() {
            let believed = (!parts.is_empty()).then(|| Self::joined(&parts));
            (message.outcome, message.decided_at) = match believed {
                Some(believed) => (believed.outcome, believed.decided_at),
                None => (Cow::Owned(DeliveryOutcome::undecided()), message.first_received_at),
            };
            message.outcome.to_mut().anomalies.insert(Anomaly::SignedForAnother);
        }
        message
    }

    /// A receipt that stands in for all receipts of the message. A dispute that some of them have lost is over: what
    /// the message is does not change.
    #[must_use]
    pub fn as_receipt(&self) -> DeliveryReceipt {
        let signed_for = self.signed_for.as_deref().filter(|_| !self.standing().is_disputed());
        DeliveryReceipt {
            sid: self.sid.clone().into_owned(),
            account: self.account.clone().into_owned(),
            source: Source::Callback,
            received_at: self.decided_at,
            outcome: self.outcome.clone().into_owned(),
            delivered_at: None,
            updated_at: None,
            signed_for: signed_for.map(str::to_owned),
            fields: Vec::new(),
        }
    }

    /// Whether a receipt belongs to this message.
    #[must_use]
    pub fn is_about(&self, receipt: &DeliveryReceipt) -> bool {
        self.key() == (&receipt.sid, &receipt.account)
    }

    /// Whether a receipt by a URL that is signed for `number`, or by none that is signed, takes part in the outcome,
    /// as far as the message alone can tell. All receipts together tell it exactly.
    #[must_use]
    pub fn admits(&self, number: Option<&str>) -> bool {
        let Standing { signed_for, recipient, .. } = self.standing();
        number.is_none() || !self.standing().is_disputed() || number == signed_for || number == recipient
    }

    /// What decides whether further receipts can be joined without reading all stored ones.
    #[must_use]
    pub fn standing(&self) -> Standing<'_> {
        Standing {
            signed_for: self.signed_for.as_deref(),
            recipient: self.outcome.recipient.e164.as_deref(),
            anomalies: self.outcome.anomalies,
        }
    }

    /// The key of a message, which batches are sorted by.
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
