//! Logs why the store does not work: once for each kind of trouble, and again every ten minutes while it lasts.

use std::time::Duration;

use tokio::time::Instant;

use crate::storage::{StoreError, Trouble};

/// The interval after which the same trouble is logged again.
const REST: Duration = Duration::from_mins(10);

/// What was logged, and when.
#[derive(Debug)]
pub(super) struct Complaints {
    store: &'static str,
    said: Vec<(Trouble, Instant)>,
}

impl Complaints {
    /// For a store of this kind, `postgres` or `sqlite`.
    pub fn of(store: &'static str) -> Self {
        Self { store, said: Vec::new() }
    }

    /// Logs what is wrong with the store and what to do: an error where an operator has to act, else a warning.
    pub fn say(&mut self, error: &StoreError) {
        let trouble = error.trouble();
        if !self.is_due(trouble) {
            return;
        }
        let (store, text, advice) = (self.store, trouble.text(), trouble.advice());
        if trouble.needs_mending() {
            tracing::error!(
                %error, advice,
                "the {store} database {text}: nothing is stored in it until this is mended; it is tried again"
            );
        } else {
            tracing::warn!(%error, advice, "the {store} database {text}; it is tried again until it does its work");
        }
    }

    /// Whether this trouble is due to be logged. If so, it is not due again before the interval has passed.
    fn is_due(&mut self, trouble: Trouble) -> bool {
        self.said.retain(|(_, at)| at.elapsed() < REST);
        let due = self.said.iter().all(|(said, _)| *said != trouble);
        if due {
            self.said.push((trouble, Instant::now()));
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_same_trouble_is_said_again_after_ten_minutes_only() {
        let mut complaints = Complaints::of("postgres");
        assert!(complaints.is_due(Trouble::Refused));
        assert!(complaints.is_due(Trouble::Unreachable), "another one");
        assert!(!complaints.is_due(Trouble::Refused) && !complaints.is_due(Trouble::Unreachable));
        tokio::time::advance(REST).await;
        assert!(complaints.is_due(Trouble::Refused));
        assert!(!complaints.is_due(Trouble::Refused));
    }
}
