//! What a receipt says became of the message, and which of two receipts is believed.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use strum::{EnumString, FromRepr, IntoStaticStr, VariantArray};

use super::Time;

/// What became of a message. Declared in the byte order of the words, as all of these are: the
/// database compares the words, and both must order alike.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Outcome {
    /// It reached the recipient, or the operator where no more is ever known.
    Delivered,
    /// It will not arrive.
    Failed,
    /// Still on its way.
    Pending,
    /// Exotel said something that stands in no table.
    Unknown,
}

impl Outcome {
    /// Whether nothing further is expected.
    #[must_use]
    pub fn is_final(self) -> bool {
        matches!(self, Self::Delivered | Self::Failed)
    }
}

/// Where the cause of the outcome lies.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Category {
    /// Registration rules, such as India's DLT.
    Compliance,
    /// The text of the message.
    Content,
    /// Confirmed by the handset.
    Handset,
    /// No cause yet: still on its way.
    InTransit,
    /// Routes and carriers.
    Network,
    /// Handed to the operator.
    Operator,
    /// None of the others, or not known.
    Other,
    /// Exotel itself.
    Platform,
    /// The recipient or its handset.
    Recipient,
}

/// What a sender should do about it.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Retry {
    /// Send again once the cause is mended.
    AfterFix,
    /// Look into it first.
    Investigate,
    /// Send again later.
    Later,
    /// Do not send to this recipient again.
    Never,
    /// Nothing to do.
    None,
    /// Wait for the next receipt.
    Wait,
}

/// Who confirmed a delivery.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum ConfirmedBy {
    /// The recipient's handset.
    Handset,
    /// Nobody.
    None,
    /// The operator, as far as itself.
    Operator,
}

/// How much a receipt proves. An operator's "handed over" is overruled by a later failure, a
/// handset's confirmation by nothing. The numbers are kept in the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, FromRepr)]
#[repr(i16)]
pub enum Evidence {
    /// Exotel holds it.
    Queued = 10,
    /// On its way to the operator.
    Sending = 20,
    /// The operator has accepted it.
    Submitted = 30,
    /// Nobody knows what the receipt means.
    Unrecognised = 35,
    /// The operator says that it passed it on.
    DeliveredToOperator = 50,
    /// It failed.
    Failed = 60,
    /// The handset has it.
    DeliveredToHandset = 70,
}

/// All that is decided together by the one receipt that is believed.
///
/// The order of the fields is the order of belief, and the derived `Ord` is used: of two verdicts
/// the greater wins. It is total and involves no arrival time, so the outcome of a message depends
/// on the set of its receipts only. The statement that merges in the database spells the same order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Verdict {
    /// How much it proves.
    pub evidence: Evidence,
    /// Exotel's `DateSent`, or of a delivery `DeliveredAt` where there is no other: of several receipts that prove as
    /// much the later time is believed, whichever field said it. None is the earliest.
    pub sent_at: Option<Time>,
    /// Whether it names a cause; an unrecognised code, no code and Exotel's own "unknown error" do not.
    pub specific: bool,
    /// The detailed status code.
    pub code: Option<i32>,
    /// The detailed status, such as `DELIVERED_TO_HANDSET`.
    pub name: Option<Cow<'static, str>>,
    /// The status in its canonical spelling, or as received where it is no known word.
    pub status: Option<Cow<'static, str>>,
    /// What became of the message.
    pub outcome: Outcome,
    /// Where the cause lies.
    pub category: Category,
    /// What to do about it.
    pub retry: Retry,
    /// Who confirmed it.
    pub confirmed_by: ConfirmedBy,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_byte_order<T: Copy + Into<&'static str> + PartialOrd>(variants: &[T]) {
        let words: Vec<&'static str> = variants.iter().map(|&v| v.into()).collect();
        assert!(words.is_sorted(), "{words:?}");
        assert!(variants.is_sorted());
    }

    #[test]
    fn words_order_as_their_variants_do() {
        in_byte_order(Outcome::VARIANTS);
        in_byte_order(Category::VARIANTS);
        in_byte_order(Retry::VARIANTS);
        in_byte_order(ConfirmedBy::VARIANTS);
    }
}
