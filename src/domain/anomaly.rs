//! Anomalies of a message: they are stored and can be filtered by, and are never a reason to refuse a callback.

use std::fmt;

use strum::{EnumString, IntoStaticStr, VariantArray};

/// One kind of oddity. The discriminant is its bit in the database and never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
#[repr(i32)]
pub enum Anomaly {
    /// The detailed status code is unknown.
    UnknownCode = 1,
    /// The status is not one of Exotel's.
    UnknownStatus = 1 << 1,
    /// The status contradicts the code.
    StatusCodeMismatch = 1 << 2,
    /// The detailed name contradicts the code.
    NameCodeMismatch = 1 << 3,
    /// One receipt says delivered, another one failed.
    ConflictingFinals = 1 << 4,
    /// Receipts name different recipients (different E.164, not different spellings).
    RecipientMismatch = 1 << 5,
    /// A time that cannot be parsed, or that is out of range.
    BadTime = 1 << 6,
    /// A number of units that is no whole number in range.
    BadUnits = 1 << 7,
    /// NUL bytes, or bytes that are no text of the charset, were replaced by U+FFFD; or a JSON string held raw line
    /// breaks, tabs or other control characters, which are kept.
    BadText = 1 << 8,
    /// A label of the callback URL was too long or one too many, and was left out.
    BadLabel = 1 << 9,
    /// A receipt takes no part in the outcome: its callback URL was signed for another recipient.
    SignedForAnother = 1 << 10,
    /// The recipient is neither a number nor a masked one.
    BadRecipient = 1 << 11,
}

/// A set of [`Anomaly`].
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Anomalies(i32);

impl Anomalies {
    /// The empty set.
    pub const NONE: Self = Self(0);

    /// The set as the database keeps it, one bit each.
    #[must_use]
    pub const fn bits(self) -> i32 {
        self.0
    }

    /// The set that the database kept; bits of unknown meaning (a newer version's) are carried along.
    #[must_use]
    pub const fn from_bits(bits: i32) -> Self {
        Self(bits)
    }

    /// Adds an anomaly.
    pub const fn insert(&mut self, anomaly: Anomaly) {
        self.0 |= anomaly as i32;
    }

    /// Adds an anomaly if `condition` holds.
    pub const fn insert_if(&mut self, condition: bool, anomaly: Anomaly) {
        if condition {
            self.insert(anomaly);
        }
    }

    /// The union of both sets.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Those of how a callback was sent, which do not follow from its fields.
    #[must_use]
    pub const fn of_request(self) -> Self {
        Self(self.0 & (Anomaly::BadText as i32 | Anomaly::BadLabel as i32))
    }

    /// Whether `anomaly` is in the set.
    #[must_use]
    pub const fn contains(self, anomaly: Anomaly) -> bool {
        self.0 & anomaly as i32 != 0
    }

    /// The words of the set, in the order of declaration.
    pub fn words(self) -> impl Iterator<Item = &'static str> {
        let members = Anomaly::VARIANTS.iter().filter(move |&&a| self.contains(a));
        members.map(Into::into)
    }
}

impl fmt::Debug for Anomalies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.words()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_holds_what_was_put_in_and_speaks_its_words() {
        let mut set = Anomalies::NONE;
        set.insert(Anomaly::BadTime);
        set.insert(Anomaly::UnknownCode);
        set.insert_if(false, Anomaly::BadUnits);
        assert_eq!(set.words().collect::<Vec<_>>(), ["unknown_code", "bad_time"]);
        assert_eq!(Anomalies::from_bits(set.bits()), set);
    }
}
