//! The meaning of a code, a name or a status.

use super::{Category, ConfirmedBy, Evidence, Outcome, Retry};

/// The meaning of one code, name or status, taken alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Classification {
    /// How much it proves.
    pub evidence: Evidence,
    /// The outcome of the message.
    pub outcome: Outcome,
    /// Where the cause lies.
    pub category: Category,
    /// What to do about it.
    pub retry: Retry,
    /// Who confirmed it.
    pub confirmed_by: ConfirmedBy,
}

impl Classification {
    /// The meaning of an unknown code, name or status.
    pub const UNRECOGNISED: Self = Self {
        evidence: Evidence::Unrecognised,
        outcome: Outcome::Unknown,
        category: Category::Other,
        retry: Retry::Investigate,
        confirmed_by: ConfirmedBy::None,
    };
}
