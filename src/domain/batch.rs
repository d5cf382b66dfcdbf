//! Receipts that are committed together, and the messages that they make up.

use super::{DeliveryReceipt, Message};

/// Receipts that are committed together, merged into messages. Pure: what is stored already takes no part.
#[derive(Clone, Debug, Default)]
pub struct Batch<'a> {
    /// In the order in which they came.
    receipts: Vec<&'a DeliveryReceipt>,
    /// Each once, in the order of sid and account.
    messages: Vec<Message<'a>>,
}

impl<'a> Batch<'a> {
    /// Merges receipts into messages.
    #[must_use]
    pub fn of(receipts: Vec<&'a DeliveryReceipt>) -> Self {
        let messages = Message::of_batch(receipts.iter().copied());
        Self { receipts, messages }
    }

    /// The receipts, in the order in which they came.
    #[must_use]
    pub fn receipts(&self) -> &[&'a DeliveryReceipt] {
        &self.receipts
    }

    /// The messages, each once, in the order of sid and account.
    #[must_use]
    pub fn messages(&self) -> &[Message<'a>] {
        &self.messages
    }

    /// Whether receipts of one message were signed for different recipients.
    #[must_use]
    pub fn is_disputed(&self) -> bool {
        self.messages.iter().any(|message| message.standing().is_disputed())
    }

    /// The disputed messages, and a batch of the others.
    #[must_use]
    pub fn split_disputed(&self) -> (Vec<Message<'a>>, Self) {
        let is_disputed = |message: &Message<'a>| message.standing().is_disputed();
        let (disputed, messages): (Vec<_>, Vec<_>) = self.messages.iter().cloned().partition(is_disputed);
        let mut receipts = self.receipts.clone();
        receipts.retain(|receipt| !disputed.iter().any(|message| message.is_about(receipt)));
        (disputed, Self { receipts, messages })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        Account, AccountName, Anomalies, Labels, RawField, Reception, Source, StatusCallback, StatusTable,
        Time,
    };

    fn receipt(sid: &str, status: &str, signed_for: Option<&str>) -> DeliveryReceipt {
        let pairs = [("SmsSid", sid), ("Status", status), ("To", signed_for.unwrap_or("09812345670"))];
        let fields = pairs.map(|(key, value)| RawField::new(key.to_owned(), Some(value.to_owned())));
        let reception = Reception {
            account: &Account::unconfigured(AccountName::new("acme").unwrap()),
            table: &StatusTable::default(),
            labels: Labels::default(),
            anomalies: Anomalies::NONE,
            source: Source::Callback,
            received_at: Time::UNIX_EPOCH,
            signed_for: signed_for.map(str::to_owned),
        };
        DeliveryReceipt::normalise(StatusCallback::from_fields(fields.into()).unwrap(), reception)
    }

    fn sids<'a>(messages: impl IntoIterator<Item = &'a Message<'a>>) -> Vec<&'a str> {
        messages.into_iter().map(|message| message.sid.as_str()).collect()
    }

    #[test]
    fn receipts_keep_their_order_and_each_message_stands_once_in_the_order_of_sids() {
        let receipts =
            [receipt("b", "sent", None), receipt("a", "queued", None), receipt("b", "failed", None)];
        let batch = Batch::of(receipts.iter().collect());
        assert!(batch.receipts().iter().map(|receipt| receipt.sid.as_str()).eq(["b", "a", "b"]));
        assert_eq!(sids(batch.messages()), ["a", "b"]);
        assert_eq!(batch.messages()[1].callbacks, 2);
        assert!(!batch.is_disputed());
        assert!(Batch::of(Vec::new()).messages().is_empty());
    }

    #[test]
    fn disputed_messages_are_split_off_with_their_receipts() {
        let receipts = [
            receipt("b", "sent", Some("+919812345670")),
            receipt("a", "sent", None),
            receipt("b", "sent", Some("+919812345671")),
        ];
        let batch = Batch::of(receipts.iter().collect());
        assert!(batch.is_disputed());
        let (disputed, others) = batch.split_disputed();
        assert_eq!((sids(&disputed), sids(others.messages())), (vec!["b"], vec!["a"]));
        assert_eq!(others.receipts().len(), 1);
        assert!(!others.is_disputed());
    }
}
