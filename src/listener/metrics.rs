//! Metrics of connections. `http` counts requests.

use metrics::{Counter, Gauge};

use super::protocol_fault::ProtocolFault;
use crate::telemetry::{Family, Metrics};

const OPEN: Family = Family { name: "dlr_http_connections", help: "Connections that are open, by listener." };
const MOST: Family = Family {
    name: "dlr_http_connections_max",
    help: "The most connections that may be open; further ones wait in the system's queue.",
};
const CUT: Family = Family {
    name: "dlr_http_connections_cut_total",
    help: "Connections that were cut, as a head, the rest of a refused request or the reading of an answer took too long, by listener.",
};

const FAULTS: Family = Family {
    name: "dlr_http_protocol_errors_total",
    help: "Connections that were ended as the client did not keep to HTTP, by listener and kind.",
};
const STALLED: Family = Family {
    name: "dlr_http_answers_stalled_total",
    help: "Answers by HTTP/2 whose client stopped reading, and whose streams were reset, by listener.",
};

/// The metrics of one listener's connections.
#[derive(Clone, Debug)]
pub struct ListenerMetrics {
    open: Gauge,
    cut: Counter,
    faults: [Counter; ProtocolFault::ALL.len()],
    stalled: Counter,
}

impl ListenerMetrics {
    /// Registers the metrics of the listener named `listener`, which may have `most` open connections.
    #[must_use]
    pub fn new(metrics: &Metrics, listener: &str, most: u32) -> Self {
        let labels = [("listener", listener)];
        metrics.set(MOST, &labels, most.into());
        Self {
            open: metrics.gauge(OPEN, &labels),
            cut: metrics.counter(CUT, &labels),
            faults: ProtocolFault::ALL
                .map(|fault| metrics.counter(FAULTS, &[labels[0], ("kind", fault.name())])),
            stalled: metrics.counter(STALLED, &labels),
        }
    }

    /// Counts a connection as open until the result is dropped.
    pub(super) fn open(&self) -> Open<'_> {
        self.open.increment(1.0);
        Open(self)
    }

    /// Counts a connection that was closed for its timeout.
    pub(super) fn cut(&self) {
        self.cut.increment(1);
    }

    /// Counts a connection that was closed because its client violated HTTP.
    pub(super) fn fault(&self, fault: ProtocolFault) {
        self.faults[fault as usize].increment(1);
    }

    /// The counter of answers that the client stopped reading.
    pub(super) fn stalled(&self) -> Counter {
        self.stalled.clone()
    }
}

/// An open connection.
pub(super) struct Open<'m>(&'m ListenerMetrics);

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.open.decrement(1.0);
    }
}
