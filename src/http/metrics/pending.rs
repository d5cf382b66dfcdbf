//! Pending messages, counted now and then.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use crate::{
    domain::Time,
    storage::{PendingByAge, Store},
};

/// How long a count is told again: counting reads an entry of an index for each pending message.
const AGE: chrono::Duration = chrono::Duration::seconds(30);

/// What was last counted. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(in crate::http) struct PendingMessages(Arc<Mutex<Last>>);

#[derive(Clone, Copy, Debug, Default)]
struct Last {
    asked_at: Option<Time>,
    /// Nothing while the count is under way, and where it failed.
    counted: Option<PendingByAge>,
}

impl PendingMessages {
    /// How many are pending, as counted lately. Waits for a count no longer than `patience`; one that takes
    /// longer goes on, and is told the next time. None where there is no count.
    pub(super) async fn count(&self, store: &Store, now: Time, patience: Duration) -> Option<PendingByAge> {
        if let Some(last) = self.fresh(now) {
            return last.counted;
        }
        let (store, pending) = (store.clone(), self.clone());
        let counting = tokio::spawn(async move {
            let counted = store.pending(now).await;
            if let Err(error) = &counted {
                tracing::debug!(%error, "pending messages cannot be counted");
            }
            let mut last = pending.0.lock().unwrap_or_else(PoisonError::into_inner);
            last.counted = counted.ok();
            last.counted
        });
        tokio::time::timeout(patience, counting).await.ok()?.ok()?
    }

    /// What is to be told without asking. Whoever is told nothing asks, and nobody else meanwhile.
    fn fresh(&self, now: Time) -> Option<Last> {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // A clock that was put back makes no count last for ever.
        if last.asked_at.is_some_and(|asked| (chrono::Duration::zero()..AGE).contains(&(now - asked))) {
            return Some(*last);
        }
        *last = Last { asked_at: Some(now), counted: None };
        None
    }
}
