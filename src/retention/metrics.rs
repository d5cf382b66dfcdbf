//! Metrics of purges.

use metrics::{Counter, Gauge};

use super::{PurgeError, Purged};
use crate::{
    domain::Time,
    storage::ClockFault,
    telemetry::{Family, Metrics, unix_seconds},
};

const DELETED: Family = Family {
    name: "dlr_retention_deleted_total",
    help: "What this process has deleted as it was too old, by kind; receipts in a partition that was dropped whole are not counted one by one.",
};
const FAILURES: Family = Family {
    name: "dlr_retention_failures_total",
    help: "Purges that the database did not let this process finish; each is tried again after a minute.",
};
const REFUSALS: Family = Family {
    name: "dlr_retention_refusals_total",
    help: "Purges that were refused, as the clocks cannot be trusted with deleting, by reason; each is tried again after a minute.",
};
const LAST: Family = Family {
    name: "dlr_retention_last_finished_timestamp_seconds",
    help: "When this process last finished a purge, or else when it began; Unix time.",
};

/// Metrics of the purges of this process.
#[derive(Clone, Debug)]
pub struct RetentionMetrics {
    messages: Counter,
    receipts: Counter,
    rejected: Counter,
    partitions: Counter,
    failures: Counter,
    clocks_differ: Counter,
    clock_leapt: Counter,
    last: Gauge,
}

impl RetentionMetrics {
    /// Registers them; `began` is when the process did.
    #[must_use]
    pub fn new(metrics: &Metrics, began: Time) -> Self {
        let deleted = |kind| metrics.counter(DELETED, &[("kind", kind)]);
        let last = metrics.gauge(LAST, &[]);
        last.set(unix_seconds(began));
        Self {
            messages: deleted("messages"),
            receipts: deleted("receipts"),
            rejected: deleted("rejected"),
            partitions: deleted("partitions"),
            failures: metrics.counter(FAILURES, &[]),
            clocks_differ: metrics.counter(REFUSALS, &[("reason", "clocks_differ")]),
            clock_leapt: metrics.counter(REFUSALS, &[("reason", "clock_leapt")]),
            last,
        }
    }

    /// Counts what was deleted since `before`.
    pub(super) fn deleted(&self, before: &Purged, now: &Purged) {
        for (counter, before, now) in [
            (&self.messages, before.messages, now.messages),
            (&self.receipts, before.receipts, now.receipts),
            (&self.rejected, before.rejected, now.rejected),
            (&self.partitions, before.dropped, now.dropped),
        ] {
            counter.increment(now - before);
        }
    }

    /// Counts a purge that has finished.
    pub(super) fn finished(&self, at: Time) {
        self.last.set(unix_seconds(at));
    }

    /// Counts a purge that has failed.
    pub(super) fn failed(&self, error: &PurgeError) {
        let counter = match error {
            PurgeError::Store(_) => &self.failures,
            PurgeError::Clocks(ClockFault::ClocksDiffer { .. }) => &self.clocks_differ,
            PurgeError::Clocks(ClockFault::ClockLeapt { .. }) => &self.clock_leapt,
        };
        counter.increment(1);
    }
}
