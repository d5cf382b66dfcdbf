//! Purges in the background, for as long as the service runs.

use std::time::Duration;

use super::{Purge, PurgeError, Purged, RetentionMetrics};
use crate::{background::PeriodicJob, domain::Clock};

/// Between two purges.
const REST: Duration = Duration::from_hours(1);
/// While another process purges, which may end halfway.
const REST_BESIDE: Duration = Duration::from_secs(2);
const REST_AFTER_FAILURE: Duration = Duration::from_mins(1);

/// The job that purges in the background.
#[derive(Debug)]
pub struct RetentionJob {
    purge: Purge,
    clock: Clock,
    metrics: RetentionMetrics,
    /// The failure that was logged last; none after a success.
    last_failure: Option<String>,
}

impl RetentionJob {
    /// Runs `purge`, and notes in `metrics` when it was done by `clock`.
    #[must_use]
    pub fn new(purge: Purge, clock: Clock, metrics: RetentionMetrics) -> Self {
        Self { purge, clock, metrics, last_failure: None }
    }

    /// Logs a failure, once for each reason.
    fn log_failure(&mut self, error: &PurgeError) {
        let reason = match error {
            // Its text names times, which are others each time.
            PurgeError::Clocks(fault) => fault.word().to_owned(),
            PurgeError::Store(error) => error.to_string(),
        };
        if self.last_failure.as_ref() == Some(&reason) {
            return;
        }
        self.last_failure = Some(reason);
        match error {
            PurgeError::Clocks(_) => tracing::error!(
                %error,
                "nothing is deleted while the clocks cannot be trusted; they are compared every minute"
            ),
            PurgeError::Store(_) => {
                tracing::warn!(%error, "what is too old is not deleted for now; the purge is tried again every minute");
            }
        }
    }
}

impl PeriodicJob for RetentionJob {
    async fn run(&mut self) -> Duration {
        let mut before = Purged::default();
        let metrics = &self.metrics;
        let mut count = |now: &Purged| {
            metrics.deleted(&before, now);
            before = *now;
        };
        match self.purge.run(&mut count).await {
            Ok(None) => REST_BESIDE,
            Ok(Some(Purged { messages, receipts, rejected, dropped, .. })) => {
                self.metrics.finished(self.clock.now());
                self.last_failure = None;
                if messages + receipts + rejected + dropped > 0 {
                    tracing::info!(messages, receipts, rejected, dropped, "deleted what was too old");
                }
                REST
            }
            Err(error) => {
                self.metrics.failed(&error);
                self.log_failure(&error);
                REST_AFTER_FAILURE
            }
        }
    }

    async fn give_up(&mut self) {
        self.purge.give_up().await;
    }
}
