//! What a code, a name or a status amounts to.

use super::{Category, ConfirmedBy, Evidence, Outcome, Retry};

/// What a code, a name or a status alone amounts to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Classification {
    /// How much it proves.
    pub evidence: Evidence,
    /// What became of the message.
    pub outcome: Outcome,
    /// Where the cause lies.
    pub category: Category,
    /// What to do about it.
    pub retry: Retry,
    /// Who confirmed it.
    pub confirmed_by: ConfirmedBy,
}

impl Classification {
    /// What nobody can read.
    pub const UNRECOGNISED: Self = Self {
        evidence: Evidence::Unrecognised,
        outcome: Outcome::Unknown,
        category: Category::Other,
        retry: Retry::Investigate,
        confirmed_by: ConfirmedBy::None,
    };
}
