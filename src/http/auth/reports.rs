//! What `report_only` lets in: counted, and told in the log now and then.

use std::{net::IpAddr, time::Duration};

use governor::Quota;
use metrics::Counter;
use strum::VariantArray;

use super::{Caller, limits::Keyed, refusal::Refusal, signatures::SignatureFault};
use crate::telemetry::{Family, Metrics};

const REPORTED: Family = Family {
    name: "dlr_callbacks_reported_total",
    help: "Callbacks that were let in and would have been refused, were report_only off; by account, guard and reason.",
};

/// What would be refused: counted, and a line in the log for each guard and address, once an hour.
#[derive(Debug)]
pub(super) struct Reports {
    account: String,
    counters: Vec<(Refusal, Counter)>,
    lines: Keyed<(Refusal, Option<IpAddr>)>,
}

impl Reports {
    /// Those of an account. All begin at zero: what is not there is not seen to grow.
    pub fn new(account: &str, metrics: &Metrics) -> Self {
        let hourly = Quota::with_period(Duration::from_hours(1)).expect("an hour is not nothing");
        let signatures = SignatureFault::VARIANTS.iter().map(|&fault| Refusal::Signature(fault));
        let counter = |refusal: Refusal| {
            let (guard, reason) = refusal.words();
            let labels = [("account", account), ("guard", guard), ("reason", reason)];
            (refusal, metrics.counter(REPORTED, &labels))
        };
        Self {
            account: account.to_owned(),
            counters: signatures.chain([Refusal::Address]).map(counter).collect(),
            lines: Keyed::new(hourly),
        }
    }

    pub fn report(&self, refusal: Refusal, caller: Caller) {
        if let Some((_, counter)) = self.counters.iter().find(|(counted, _)| *counted == refusal) {
            counter.increment(1);
        }
        let address = caller.address();
        if self.lines.count(&(refusal, address)).is_ok() {
            let (guard, reason) = refusal.words();
            let address = address.map_or_else(|| "unknown".to_owned(), |address| address.to_string());
            let account = &*self.account;
            tracing::warn!(account, guard, reason, address, "only reported: this callback would be refused");
        }
    }
}
