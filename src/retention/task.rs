//! Purges in the background, for as long as the service runs.

use std::time::Duration;

use tokio::{sync::watch, task::JoinHandle, time::sleep};

use super::{Purge, PurgeError, Purged, RetentionMetrics};
use crate::domain::Clock;

/// How long it rests after a purge; while another process purges, which may end halfway; and after a failure.
const REST: Duration = Duration::from_hours(1);
const REST_BESIDE: Duration = Duration::from_secs(2);
const REST_AFTER_FAILURE: Duration = Duration::from_mins(1);

/// What purges in the background.
#[derive(Debug)]
pub struct RetentionTask {
    task: JoinHandle<()>,
    stop: watch::Sender<()>,
}

impl RetentionTask {
    /// Starts it: the first purge begins at once.
    #[must_use]
    pub fn start(purge: Purge, clock: Clock, metrics: RetentionMetrics) -> Self {
        let (stop, stopped) = watch::channel(());
        Self { task: tokio::spawn(work(purge, clock, metrics, stopped)), stop }
    }

    /// Ends it. A step that has not been committed is not done.
    pub async fn finish(self) {
        drop(self.stop);
        // A task that has panicked has said so.
        let _ = self.task.await;
    }
}

async fn work(mut purge: Purge, clock: Clock, metrics: RetentionMetrics, mut stop: watch::Receiver<()>) {
    let mut complaint = None;
    while stop.has_changed().is_ok() {
        let mut before = Purged::default();
        let mut count = |now: &Purged| {
            metrics.deleted(&before, now);
            before = *now;
        };
        let done = tokio::select! {
            done = purge.run(&mut count) => done,
            _ = stop.changed() => break,
        };
        match &done {
            Ok(Some(_)) => metrics.finished(clock.now()),
            Ok(None) => {}
            Err(error) => metrics.failed(error),
        }
        let rest = rest_after(done, &mut complaint);
        tokio::select! {
            () = sleep(rest) => {}
            _ = stop.changed() => break,
        }
    }
    purge.give_up().await;
}

/// Says what was done, or why it was not, once for each reason; and how long to rest.
fn rest_after(done: Result<Option<Purged>, PurgeError>, complaint: &mut Option<String>) -> Duration {
    match done {
        Ok(None) => REST_BESIDE,
        Ok(Some(purged)) => {
            *complaint = None;
            let Purged { messages, receipts, rejected, dropped, .. } = purged;
            if messages + receipts + rejected + dropped > 0 {
                tracing::info!(messages, receipts, rejected, dropped, "deleted what was too old");
            }
            REST
        }
        Err(error) => {
            let reason = match &error {
                // The times in it are others each time.
                PurgeError::Clocks(fault) => fault.word().to_owned(),
                PurgeError::Store(error) => error.to_string(),
            };
            if complaint.as_ref() != Some(&reason) {
                complain(&error);
                *complaint = Some(reason);
            }
            REST_AFTER_FAILURE
        }
    }
}

fn complain(error: &PurgeError) {
    match error {
        PurgeError::Clocks(_) => {
            tracing::error!(%error, "nothing is deleted while the clocks cannot be trusted; they are looked at every minute");
        }
        PurgeError::Store(_) => {
            tracing::warn!(%error, "what is too old stays for now; it is tried again every minute");
        }
    }
}
