//! Metrics of commits and of the receipts in them.

use std::{collections::HashMap, sync::Arc, time::Duration};

use metrics::Counter;
use strum::VariantArray;

use crate::{
    domain::{AccountName, Anomaly, DeliveryReceipt, Outcome, StatusTable},
    storage::Failure,
    telemetry::{Family, Histogram, Metrics},
};

const COMMIT_SIZE: Family =
    Family { name: "dlr_commit_receipts", help: "Receipts that were committed together." };
const COMMIT_TIME: Family =
    Family { name: "dlr_commit_duration_seconds", help: "How long a successful commit took." };
const COMMIT_FAILURES: Family = Family {
    name: "dlr_commit_failures_total",
    help: "Commits that failed: contention with other writers, poison in a row, or an outage of the store.",
};
const RECEIPTS: Family = Family {
    name: "dlr_receipts_total",
    help: "Receipts in the store, by outcome and detailed status code; other is a code of no table, none is no code.",
};
const UNKNOWN_CODES: Family = Family {
    name: "dlr_unknown_codes_total",
    help: "Receipts in the store whose detailed status code stands in no table.",
};
const DELAY: Family = Family {
    name: "dlr_send_to_receipt_seconds",
    help: "From DateSent to the time at which a receipt in the store was received, by outcome.",
};

const EXCLUDED: Family = Family {
    name: "dlr_receipts_excluded_total",
    help: "Receipts in the store that take no part in the outcome of their message, since their callback URL was signed for another recipient; by account.",
};

const SIZES: &[f64] = &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0, 4096.0];
const TIMES: &[f64] = &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0];
/// Seconds; the last ones are an hour, six hours, a day and three days, which is as long as operators try.
const DELAYS: &[f64] =
    &[1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3_600.0, 21_600.0, 86_400.0, 259_200.0];
/// Delays of more than 30 days, in seconds, are ignored: `DateSent` must be wrong.
const LONGEST_DELAY: f64 = 2_592_000.0;

/// Handles of the metrics, resolved once, so that counting needs no look-up. Cheap to clone.
#[derive(Clone, Debug)]
pub struct IngestMetrics(Arc<Handles>);

#[derive(Debug)]
struct Handles {
    size: Histogram,
    time: Histogram,
    failures: [Counter; Failure::VARIANTS.len()],
    /// By code, ascending, and outcome.
    receipts: Vec<((i32, Outcome), Counter)>,
    other: [Counter; Outcome::VARIANTS.len()],
    none: [Counter; Outcome::VARIANTS.len()],
    unknown_codes: Counter,
    excluded: HashMap<AccountName, Counter>,
    delays: [Histogram; Outcome::VARIANTS.len()],
}

impl IngestMetrics {
    /// Registers them; every code in force and every account of `accounts` begins at zero.
    #[must_use]
    pub fn new<'a>(
        metrics: &Metrics,
        table: &StatusTable,
        accounts: impl IntoIterator<Item = &'a AccountName>,
    ) -> Self {
        let excluded = |account: &AccountName| {
            (account.clone(), metrics.counter(EXCLUDED, &[("account", account.as_str())]))
        };
        let receipts = |code: &str, outcome: Outcome| {
            metrics.counter(RECEIPTS, &[("code", code), ("outcome", outcome.into())])
        };
        let by_outcome = |code| each(Outcome::VARIANTS, |outcome| receipts(code, outcome));
        let known = table.iter().map(|known| {
            let counter = receipts(&known.code.to_string(), known.outcome);
            ((known.code, known.outcome), counter)
        });
        let mut known: Vec<_> = known.collect();
        known.sort_unstable_by_key(|(place, _)| *place);
        Self(Arc::new(Handles {
            size: metrics.histogram(COMMIT_SIZE, &[], SIZES),
            time: metrics.histogram(COMMIT_TIME, &[], TIMES),
            failures: each(Failure::VARIANTS, |failure| {
                metrics.counter(COMMIT_FAILURES, &[("failure", failure.into())])
            }),
            receipts: known,
            other: by_outcome("other"),
            none: by_outcome("none"),
            unknown_codes: metrics.counter(UNKNOWN_CODES, &[]),
            excluded: accounts.into_iter().map(excluded).collect(),
            delays: each(Outcome::VARIANTS, |outcome| {
                metrics.histogram(DELAY, &[("outcome", outcome.into())], DELAYS)
            }),
        }))
    }

    /// Counts a commit that has succeeded.
    pub(super) fn committed(&self, receipts: &[&DeliveryReceipt], took: Duration) {
        #[expect(clippy::cast_precision_loss, reason = "there are some thousands at most")]
        self.0.size.record(receipts.len() as f64);
        self.0.time.record(took.as_secs_f64());
        for receipt in receipts {
            self.0.receipt(receipt);
        }
    }

    /// Counts receipts that take no part in the outcome of their message.
    pub(super) fn excluded(&self, account: &AccountName, receipts: usize) {
        if let Some(counter) = self.0.excluded.get(account) {
            counter.increment(receipts as u64);
        }
    }

    /// Counts a commit that has failed.
    pub(super) fn failed(&self, failure: Failure) {
        self.0.failures[failure as usize].increment(1);
    }
}

impl Handles {
    fn receipt(&self, receipt: &DeliveryReceipt) {
        let verdict = &receipt.outcome.verdict;
        let outcome = verdict.outcome;
        let unknown = receipt.outcome.anomalies.contains(Anomaly::UnknownCode);
        let known = verdict
            .code
            .and_then(|code| self.receipts.binary_search_by_key(&(code, outcome), |(place, _)| *place).ok());
        match known {
            Some(at) => self.receipts[at].1.increment(1),
            None if unknown || verdict.code.is_some() => self.other[outcome as usize].increment(1),
            None => self.none[outcome as usize].increment(1),
        }
        if unknown {
            self.unknown_codes.increment(1);
        }
        let delay = verdict.sent_at.map(|sent| (receipt.received_at - sent).as_seconds_f64());
        if let Some(delay) = delay.filter(|delay| (0.0..=LONGEST_DELAY).contains(delay)) {
            self.delays[outcome as usize].record(delay);
        }
    }
}

/// One for each of an enum's variants, found by the variant's number.
fn each<T: Copy, U, const N: usize>(variants: &[T], make: impl Fn(T) -> U) -> [U; N] {
    std::array::from_fn(|at| make(variants[at]))
}
