//! What is counted of the callbacks of one account.

use std::sync::OnceLock;

use metrics::{Counter, Gauge};
use strum::EnumCount;

use crate::{
    domain::Time,
    http::ProblemKind,
    ingest::Kept,
    telemetry::{Family, Metrics, unix_seconds},
};

const CALLBACKS: Family = Family {
    name: "dlr_callbacks_total",
    help: "Callbacks by account and by what became of them: recorded, spooled, or why they were refused.",
};
const LAST_ACCEPTED: Family = Family {
    name: "dlr_callbacks_last_accepted_timestamp_seconds",
    help: "When the last callback of an account was accepted, or else when the service began; Unix time.",
};
pub(super) const AUTH_REFUSALS: Family = Family {
    name: "dlr_auth_refusals_total",
    help: "Requests without the token or key that they need, by door: callbacks, questions or compat.",
};

/// Counts the callbacks of one account; or those whose account is none of ours, as `unknown`.
#[derive(Debug)]
pub(in crate::http) struct AccountMetrics {
    metrics: Metrics,
    name: String,
    recorded: Counter,
    spooled: Counter,
    /// Made when they are first needed: most never are.
    refused: [OnceLock<Counter>; ProblemKind::COUNT],
    not_let_in: Counter,
    last_accepted: Gauge,
}

impl AccountMetrics {
    /// Of an account; `began` is when the service did.
    pub fn new(metrics: &Metrics, name: &str, began: Time) -> Self {
        let result = |word| metrics.counter(CALLBACKS, &[("account", name), ("result", word)]);
        let last_accepted = metrics.gauge(LAST_ACCEPTED, &[("account", name)]);
        last_accepted.set(unix_seconds(began));
        Self {
            recorded: result(Kept::Recorded.into()),
            spooled: result(Kept::Spooled.into()),
            last_accepted,
            ..Self::refusing(metrics, name)
        }
    }

    /// Of callers whose account is none of ours: there is nothing but refusals.
    pub fn unknown(metrics: &Metrics) -> Self {
        Self::refusing(metrics, "unknown")
    }

    fn refusing(metrics: &Metrics, name: &str) -> Self {
        Self {
            metrics: metrics.clone(),
            name: name.to_owned(),
            recorded: Counter::noop(),
            spooled: Counter::noop(),
            refused: std::array::from_fn(|_| OnceLock::new()),
            not_let_in: metrics.counter(AUTH_REFUSALS, &[("account", name), ("door", "callbacks")]),
            last_accepted: Gauge::noop(),
        }
    }

    /// Counts a callback that is on disk.
    pub fn accepted(&self, kept: Kept, received_at: Time) {
        match kept {
            Kept::Recorded => self.recorded.increment(1),
            Kept::Spooled => self.spooled.increment(1),
        }
        self.last_accepted.set(unix_seconds(received_at));
    }

    /// Counts one that was refused.
    pub fn refused(&self, kind: ProblemKind) {
        let counter =
            || self.metrics.counter(CALLBACKS, &[("account", self.name.as_str()), ("result", kind.into())]);
        self.refused[kind as usize].get_or_init(counter).increment(1);
        if matches!(
            kind,
            ProblemKind::Unauthorized | ProblemKind::AddressNotAllowed | ProblemKind::UnknownAccount
        ) {
            self.not_let_in.increment(1);
        }
    }
}
