//! Which receipts of a message take part in its outcome.
//!
//! All of them do, but for one case. A callback URL that is signed for a recipient authenticates callbacks about
//! messages to that recipient. The URL does not name the message: whoever holds the URL and knows the sid of a
//! message to somebody else could report on that message too. So a receipt of a signed URL takes part only where the
//! message is to the recipient that the URL was signed for.
//!
//! The rule looks at the set of receipts, never at their order:
//!
//! 1. Receipts that no signature limits say which numbers the message is to. A signed receipt takes part where its
//!    number is one of those.
//! 2. Where they name no number, the signed receipts have to agree: one number takes part. With two or more, nobody
//!    can tell which of the signed URLs is misused, and no signed receipt takes part.
//! 3. A masked number is no number, but it rules out those whose digits differ. One that shows next to no digits rules
//!    out nothing.

use std::collections::BTreeSet;

use super::{Anomalies, Anomaly, DeliveryReceipt, Recipient};

/// Whether each receipt of a message takes part in its outcome. `receipts` are all that there are of one message.
#[must_use]
pub fn participation(receipts: &[&DeliveryReceipt]) -> Vec<bool> {
    let unlimited = || receipts.iter().filter(|receipt| receipt.signed_for.is_none());
    let named: BTreeSet<&str> = unlimited().filter_map(|receipt| receipt.number()).collect();
    let masked = unlimited().filter_map(|receipt| receipt.outcome.recipient.raw.as_deref());
    let masked = masked.filter(|raw| Recipient::shows_digits(raw)).max();
    let signed = receipts.iter().filter_map(|receipt| receipt.signed_for.as_deref());
    let credible = if named.is_empty() {
        let possible = signed.filter(|number| masked.is_none_or(|masked| may_be(number, masked)));
        Some(possible.collect::<BTreeSet<_>>()).filter(|numbers| numbers.len() == 1).unwrap_or_default()
    } else {
        named
    };
    let takes_part = |receipt: &&DeliveryReceipt| {
        receipt.signed_for.as_deref().is_none_or(|number| credible.contains(number))
    };
    receipts.iter().map(takes_part).collect()
}

/// Whether a number may be the one of which another text shows some digits.
fn may_be(number: &str, masked: &str) -> bool {
    let whole = Recipient { e164: Some(number.to_owned()), raw: None };
    whole.may_be(&Recipient { e164: None, raw: Some(masked.to_owned()) })
}

impl DeliveryReceipt {
    /// The recipient in E.164, where it is known.
    pub(super) fn number(&self) -> Option<&str> {
        self.outcome.recipient.e164.as_deref()
    }
}

/// On whose word the outcome of a message, or of a part of its receipts, stands. It tells whether two of them can be
/// merged as they are, or the rule has to look at every receipt again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing<'a> {
    /// The number that signed receipts among those that take part are signed for, where no other receipt names one.
    pub signed_for: Option<&'a str>,
    /// The recipient in E.164.
    pub recipient: Option<&'a str>,
    /// What is odd; [`Anomaly::SignedForAnother`] where some receipts take no part.
    pub anomalies: Anomalies,
}

impl<'a> Standing<'a> {
    /// Whether all receipts of both take part once they are together. Then the outcomes are joined, and nothing else
    /// has to be known. The statements that merge in the databases spell the same condition.
    #[must_use]
    pub fn agrees_with(&self, other: &Self) -> bool {
        let number = |standing: &Self| -> Option<&'a str> { standing.signed_for.or(standing.recipient) };
        let unlimited = self.signed_for.is_none() && other.signed_for.is_none();
        let same = number(self).is_some() && number(self) == number(other);
        // More receipts can settle a dispute, so that all of them have to be looked at again.
        !self.is_disputed() && !other.is_disputed() && (unlimited || same)
    }

    /// Whether some receipts take no part.
    #[must_use]
    pub fn is_disputed(&self) -> bool {
        self.anomalies.contains(Anomaly::SignedForAnother)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        Account, AccountName, Labels, Message, Outcome, RawField, Reception, Source, StatusCallback,
        StatusTable, Time,
    };

    const X: &str = "+919812345671";
    const Y: &str = "+919812345670";

    /// A receipt with a code and a recipient, by a URL that is signed, or is not.
    fn receipt(signed_for: Option<&str>, to: &str, code: &str) -> DeliveryReceipt {
        let fields = [("SmsSid", "s1"), ("To", to), ("DetailedStatusCode", code), ("SmsUnits", "2")];
        let field = |(key, value): (&str, &str)| RawField::new(key.to_owned(), Some(value.to_owned()));
        let callback = StatusCallback::from_fields(fields.map(field).into()).unwrap();
        let account = Account::unconfigured(AccountName::new("acme").unwrap());
        let reception = Reception {
            account: &account,
            table: &StatusTable::default(),
            labels: Labels::default(),
            anomalies: Anomalies::NONE,
            source: Source::Callback,
            received_at: Time::UNIX_EPOCH,
            signed_for: signed_for.map(str::to_owned),
        };
        DeliveryReceipt::normalise(callback, reception)
    }

    fn failed(signed_for: Option<&str>, to: &str) -> DeliveryReceipt {
        receipt(signed_for, to, "23010")
    }

    fn delivered(signed_for: Option<&str>, to: &str) -> DeliveryReceipt {
        receipt(signed_for, to, "20005")
    }

    /// Which of the receipts take part, in every order.
    fn take_part(receipts: &[DeliveryReceipt]) -> Vec<bool> {
        let mut all: Vec<_> = receipts.iter().collect();
        let parts = participation(&all);
        all.reverse();
        let mut reversed = participation(&all);
        reversed.reverse();
        assert_eq!(parts, reversed);
        parts
    }

    #[test]
    fn the_number_that_a_token_vouches_for_decides() {
        let known = failed(None, Y);
        assert_eq!(take_part(&[known.clone(), delivered(Some(X), X)]), [true, false]);
        assert_eq!(
            take_part(&[known.clone(), delivered(Some(X), X), delivered(Some(Y), Y)]),
            [true, false, true]
        );
        assert_eq!(take_part(&[known, failed(None, X), delivered(Some(X), X)]), [true; 3], "it is to both");
    }

    #[test]
    fn where_nothing_names_the_number_signatures_have_to_agree() {
        assert_eq!(take_part(&[failed(Some(Y), Y), delivered(Some(Y), "0XXXXX5670")]), [true, true]);
        assert_eq!(take_part(&[failed(Some(Y), Y), delivered(Some(X), X)]), [false, false]);
        assert_eq!(take_part(&[failed(None, ""), delivered(Some(X), X)]), [true, true]);
        assert_eq!(
            take_part(&[failed(None, ""), delivered(Some(X), X), failed(Some(Y), Y)]),
            [true, false, false]
        );
    }

    #[test]
    fn a_masked_number_rules_out_those_that_differ() {
        assert_eq!(take_part(&[failed(None, "0XXXXX5670"), delivered(Some(X), X)]), [true, false]);
        assert_eq!(take_part(&[failed(None, "0XXXXX5670"), delivered(Some(Y), Y)]), [true, true]);
        assert_eq!(
            take_part(&[failed(None, "0XXXXX5670"), delivered(Some(X), X), failed(Some(Y), Y)]),
            [true, false, true]
        );
    }

    #[test]
    fn a_number_that_shows_next_to_nothing_rules_out_nobody() {
        for to in ["XXXXXXXXXX", "0XXXXXXX567", "EXOTEL"] {
            assert_eq!(take_part(&[failed(None, to), delivered(Some(Y), Y)]), [true, true], "{to}");
            let both = [failed(None, to), delivered(Some(X), X), failed(Some(Y), Y)];
            assert_eq!(take_part(&both), [true, false, false], "{to}");
        }
    }

    #[test]
    fn what_takes_no_part_leaves_its_place_in_the_log_and_a_flag() {
        let receipts = [failed(None, Y), delivered(Some(X), X)];
        let [message] = &Message::of_batch(&receipts)[..] else { panic!("one message") };
        assert_eq!((message.outcome.verdict.outcome, message.callbacks), (Outcome::Failed, 2));
        assert_eq!(message.outcome.recipient.e164.as_deref(), Some(Y));
        assert_eq!(message.outcome.anomalies.words().collect::<Vec<_>>(), ["signed_for_another"]);
        let receipts = [failed(Some(Y), Y), delivered(Some(X), X)];
        let [message] = &Message::of_batch(&receipts)[..] else { panic!("one message") };
        assert_eq!((message.outcome.verdict.outcome, message.outcome.sms_units), (Outcome::Unknown, None));
        assert_eq!(message.outcome.recipient, Recipient::default());
    }

    #[test]
    fn a_signed_url_names_the_number_that_a_callback_masks() {
        let receipt = failed(Some(Y), "0XXXXX5670");
        assert_eq!(receipt.outcome.recipient.e164.as_deref(), Some(Y));
        assert_eq!(receipt.outcome.recipient.raw.as_deref(), Some("0XXXXX5670"));
    }
}
