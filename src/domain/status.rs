//! The statuses that Exotel writes, in all their spellings.

use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr, VariantArray};

use super::{Category, ConfirmedBy, Evidence, Outcome, Retry, classification::Classification};

/// A status in its canonical spelling. Source: Exotel's reference of SMS details.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, EnumString, IntoStaticStr, VariantArray,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Status {
    /// Exotel holds it.
    Queued,
    /// On its way to the operator.
    Sending,
    /// The operator has accepted it.
    Submitted,
    /// Delivered, to the handset or as far as the operator.
    Sent,
    /// Not delivered.
    Failed,
    /// Not delivered: the recipient is registered for Do Not Disturb.
    FailedDnd,
}

/// A status as a callback writes it: canonical, or one of the newer words that mean the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReportedStatus {
    /// The canonical status.
    pub status: Status,
    /// Whether the word itself says that the handset confirmed: `delivered` does, `sent` does not.
    pub by_handset: bool,
    /// Whether it is one of the newer words, which are less precise.
    pub is_alias: bool,
}

/// Newer words and what they mean.
const ALIASES: [(&str, Status); 4] = [
    ("delivered", Status::Sent),
    ("undelivered", Status::Failed),
    ("expired", Status::Failed),
    ("rejected", Status::Failed),
];

impl ReportedStatus {
    /// Reads `text`; none where it is no word of Exotel's.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let canonical = Status::VARIANTS.iter().map(|&status| (status.into(), status, false));
        let aliases = ALIASES.iter().map(|&(word, status)| (word, status, true));
        let (word, status, is_alias) = canonical.chain(aliases).find(|(word, ..)| same_word(word, text))?;
        Some(Self { status, by_handset: word == "delivered", is_alias })
    }

    /// Whether the word may stand for `status`. The newer ones know no kinds of failure.
    #[must_use]
    pub fn agrees_with(self, status: Status) -> bool {
        let coarse = |status| if status == Status::FailedDnd { Status::Failed } else { status };
        self.status == status || (self.is_alias && self.status == coarse(status))
    }

    /// What the status alone proves, where neither code nor name says more.
    #[must_use]
    pub fn classify(self) -> Classification {
        let pending = |evidence| Classification {
            evidence,
            outcome: Outcome::Pending,
            category: Category::InTransit,
            retry: Retry::Wait,
            confirmed_by: ConfirmedBy::None,
        };
        let delivered = |evidence, category, confirmed_by| Classification {
            evidence,
            outcome: Outcome::Delivered,
            category,
            retry: Retry::None,
            confirmed_by,
        };
        let failed = |category, retry| Classification {
            evidence: Evidence::Failed,
            outcome: Outcome::Failed,
            category,
            retry,
            confirmed_by: ConfirmedBy::None,
        };
        match self.status {
            Status::Queued => pending(Evidence::Queued),
            Status::Sending => pending(Evidence::Sending),
            Status::Submitted => pending(Evidence::Submitted),
            Status::Sent if self.by_handset => {
                delivered(Evidence::DeliveredToHandset, Category::Handset, ConfirmedBy::Handset)
            }
            Status::Sent => {
                delivered(Evidence::DeliveredToOperator, Category::Operator, ConfirmedBy::Operator)
            }
            Status::Failed => failed(Category::Other, Retry::Investigate),
            Status::FailedDnd => failed(Category::Recipient, Retry::Never),
        }
    }
}

/// Whether two words are the same but for case and `-`, `_` or space.
pub(super) fn same_word(a: &str, b: &str) -> bool {
    let fold = |byte: u8| match byte {
        b'_' | b' ' => b'-',
        other => other.to_ascii_lowercase(),
    };
    a.len() == b.len() && a.bytes().zip(b.bytes()).all(|(a, b)| fold(a) == fold(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_and_aliases_mean_the_canonical_status() {
        let read = |text| ReportedStatus::read(text).map(|s| (s.status, s.by_handset));
        for text in ["failed-dnd", "failed_dnd", "FAILED_DND", "Failed Dnd"] {
            assert_eq!(read(text), Some((Status::FailedDnd, false)), "{text}");
        }
        assert_eq!(read("Delivered"), Some((Status::Sent, true)));
        assert_eq!(read("sent"), Some((Status::Sent, false)));
        for text in ["undelivered", "expired", "REJECTED"] {
            assert_eq!(read(text), Some((Status::Failed, false)), "{text}");
        }
        assert_eq!(read("<status>"), None);
        let agrees = |text, status| ReportedStatus::read(text).unwrap().agrees_with(status);
        assert!(agrees("rejected", Status::FailedDnd) && !agrees("rejected", Status::Sent));
        assert!(agrees("failed-dnd", Status::FailedDnd) && !agrees("failed", Status::FailedDnd));
    }
}
