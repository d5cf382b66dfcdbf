//! What is counted of purges.

use metrics::{Counter, Gauge};

use super::Purged;
use crate::{
    domain::Time,
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
const LAST: Family = Family {
    name: "dlr_retention_last_finished_timestamp_seconds",
    help: "When this process last finished a purge, or else when it began; Unix time.",
};

/// What is counted of the purges of this process.
#[derive(Clone, Debug)]
pub struct RetentionMetrics {
    messages: Counter,
    receipts: Counter,
    rejected: Counter,
    partitions: Counter,
    failures: Counter,
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

    /// Counts a purge that has come to its end.
    pub(super) fn finished(&self, at: Time) {
        self.last.set(unix_seconds(at));
    }

    /// Counts one that has not.
    pub(super) fn failed(&self) {
        self.failures.increment(1);
    }
}
