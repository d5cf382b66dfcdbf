//! The circuit breaker before the store.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use tokio::sync::Notify;

use crate::storage::{StoreError, Trouble};

/// Closed while the store works. A failure opens it, and a successful try of the drain closes it again. While it is open no request
/// waits for the store. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(super) struct Circuit(Arc<State>);

#[derive(Debug, Default)]
struct State {
    open: AtomicBool,
    /// Why it was opened, or why the last try of the store failed.
    trouble: Mutex<Option<Trouble>>,
    /// Wakes the drain: the circuit has opened, or there is something in the spool.
    work: Notify,
}

impl Circuit {
    /// Whether it is open.
    pub fn is_open(&self) -> bool {
        self.0.open.load(Ordering::Acquire)
    }

    /// Opens it. Logged here, once for each outage.
    pub fn open(&self, error: &StoreError) {
        self.note(error);
        if !self.0.open.swap(true, Ordering::AcqRel) {
            tracing::error!(%error, "the store does not do its work; it is left alone until it does");
        }
        self.0.work.notify_one();
    }

    /// Begins open, since the store is not ready when the service starts. The caller logs why.
    pub fn begin_open(&self, error: &StoreError) {
        self.note(error);
        self.0.open.store(true, Ordering::Release);
    }

    /// Why the store does not work, while the circuit is open.
    pub fn trouble(&self) -> Option<Trouble> {
        let trouble = *self.0.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        trouble.filter(|_| self.is_open())
    }

    fn note(&self, error: &StoreError) {
        *self.0.trouble.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.trouble());
    }

    /// Closes it: the store works again.
    pub fn close(&self) {
        if self.0.open.swap(false, Ordering::AcqRel) {
            tracing::info!("the store does its work again");
        }
    }

    /// Wakes the drain, since something was spooled.
    pub fn wake_drain(&self) {
        self.0.work.notify_one();
    }

    /// Waits until the drain has something to do.
    pub async fn work(&self) {
        self.0.work.notified().await;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    const ERROR: StoreError = StoreError::TimedOut(Duration::from_secs(2));

    async fn is_woken(circuit: &Circuit) -> bool {
        timeout(Duration::from_millis(1), circuit.work()).await.is_ok()
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_open_from_a_failure_until_it_is_closed_and_says_why() {
        let circuit = Circuit::default();
        assert!(!circuit.is_open() && circuit.trouble().is_none());
        assert!(!is_woken(&circuit).await);
        circuit.open(&ERROR);
        assert!(circuit.clone().is_open(), "clones share it");
        assert_eq!(circuit.trouble(), Some(ERROR.trouble()));
        assert!(is_woken(&circuit).await, "the drain has to try the store");
        circuit.close();
        assert!(!circuit.is_open() && circuit.trouble().is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn wakes_are_not_lost_while_the_drain_is_busy() {
        let circuit = Circuit::default();
        circuit.wake_drain();
        circuit.wake_drain();
        assert!(is_woken(&circuit).await);
        assert!(!is_woken(&circuit).await, "one turn of the drain sees all that is there");
    }

    #[test]
    fn a_start_with_a_store_that_is_not_ready_begins_open() {
        let circuit = Circuit::default();
        circuit.begin_open(&ERROR);
        assert!(circuit.is_open());
        assert_eq!(circuit.trouble(), Some(ERROR.trouble()));
    }
}
