//! Whether the store is given anything: after a failure it is left alone until it has been tried.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use tokio::sync::Notify;

/// Closed while the store does its work; open from its first failure until it has been tried with
/// success. While it is open no request waits for the store. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(super) struct Circuit(Arc<State>);

#[derive(Debug, Default)]
struct State {
    open: AtomicBool,
    /// Wakes the drain: the circuit has opened, or there is something in the spool.
    work: Notify,
}

impl Circuit {
    /// Whether the store is left alone.
    pub fn is_open(&self) -> bool {
        self.0.open.load(Ordering::Acquire)
    }

    /// Leaves the store alone from now on. Logged here, once for each outage.
    pub fn open(&self, error: &dyn std::error::Error) {
        if !self.0.open.swap(true, Ordering::AcqRel) {
            tracing::error!(%error, "the store does not do its work; it is left alone until it does");
        }
        self.0.work.notify_one();
    }

    /// The store does its work again.
    pub fn close(&self) {
        if self.0.open.swap(false, Ordering::AcqRel) {
            tracing::info!("the store does its work again");
        }
    }

    /// There is something to drain.
    pub fn call_drain(&self) {
        self.0.work.notify_one();
    }

    /// Waits until there is something to do for the drain.
    pub async fn work(&self) {
        self.0.work.notified().await;
    }
}
