//! The outcome of a message: the join of what its receipts say.

use super::{Anomalies, Anomaly, Labels, Outcome, Recipient, Verdict, classification::Classification};

/// What one receipt, or all receipts of a message together, say about it.
///
/// Joining is commutative, associative and idempotent, and no arrival time takes part: the outcome
/// depends on the set of receipts, not on their order, their duplicates or which replica took them.
#[derive(Clone, Debug, PartialEq)]
pub struct DeliveryOutcome {
    /// What is decided together by the one receipt that is believed.
    pub verdict: Verdict,
    /// Parts sent: the most that any receipt says.
    pub sms_units: Option<i32>,
    /// The sender's own text.
    pub custom_field: Option<String>,
    /// Who it was sent to.
    pub recipient: Recipient,
    /// The labels of the callback URLs.
    pub labels: Labels,
    /// Its anomalies.
    pub anomalies: Anomalies,
}

impl DeliveryOutcome {
    /// The outcome of a message none of whose receipts takes part.
    #[must_use]
    pub fn undecided() -> Self {
        let Classification { evidence, outcome, category, retry, confirmed_by } =
            Classification::UNRECOGNISED;
        let (sent_at, code, name, status) = (None, None, None, None);
        Self {
            verdict: Verdict {
                evidence,
                sent_at,
                specific: false,
                code,
                name,
                status,
                outcome,
                category,
                retry,
                confirmed_by,
            },
            sms_units: None,
            custom_field: None,
            recipient: Recipient::default(),
            labels: Labels::default(),
            anomalies: Anomalies::NONE,
        }
    }

    /// Takes in `other`. What is known is never erased by a receipt that lacks it; where texts
    /// differ, the greatest in byte order stays.
    pub fn merge(&mut self, other: &Self) {
        self.anomalies = self.anomalies.union(other.anomalies);
        self.anomalies.insert_if(self.contradicts(other), Anomaly::ConflictingFinals);
        let recipients = (&self.recipient.e164, &other.recipient.e164);
        let mismatch = matches!(recipients, (Some(a), Some(b)) if a != b);
        self.anomalies.insert_if(mismatch, Anomaly::RecipientMismatch);

        raise(&mut self.verdict, &other.verdict);
        raise(&mut self.sms_units, &other.sms_units);
        raise(&mut self.custom_field, &other.custom_field);
        raise(&mut self.recipient.e164, &other.recipient.e164);
        raise(&mut self.recipient.raw, &other.recipient.raw);
        self.labels.join(&other.labels);
    }

    /// Delivered here and failed there. Looking at the winners suffices: a delivery or a failure is
    /// better evidence than anything pending, so whoever has seen one is won by one.
    fn contradicts(&self, other: &Self) -> bool {
        let outcomes = (self.verdict.outcome, other.verdict.outcome);
        matches!(outcomes, (Outcome::Delivered, Outcome::Failed) | (Outcome::Failed, Outcome::Delivered))
    }
}

/// Keeps the greater one; none is less than any.
fn raise<T: PartialOrd + Clone>(mine: &mut T, theirs: &T) {
    if *mine < *theirs {
        mine.clone_from(theirs);
    }
}
