//! How fast a purge deletes: a step that overlapped a commit is followed by a pause.

use std::{fmt, time::Duration};

use tokio::time::sleep;

use crate::pace::PacedWork;

/// The longest pause: a step may have taken so long because the database stood still.
const LONGEST: Duration = Duration::from_secs(20);

/// How fast a purge deletes.
pub struct StepPace(Box<dyn Fn() -> bool + Send + Sync>);

impl StepPace {
    /// Pauses where callbacks are being committed, as `is_busy` says.
    pub fn beside(is_busy: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self(Box::new(is_busy))
    }

    /// Always pauses: another process may take callbacks.
    #[must_use]
    pub fn gentle() -> Self {
        Self::beside(|| true)
    }

    /// Never pauses.
    #[must_use]
    pub fn full() -> Self {
        Self::beside(|| false)
    }

    /// Does a step, and waits for the pause that is due after it.
    pub(super) async fn step<T>(&self, step: impl Future<Output = T>) -> T {
        let work = PacedWork::begin(&self.0);
        let done = step.await;
        if let Some(pause) = work.pause(LONGEST) {
            sleep(pause).await;
        }
        done
    }
}

impl fmt::Debug for StepPace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StepPace")
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    async fn step(pace: StepPace, takes: Duration) -> Duration {
        let begun = Instant::now();
        pace.step(sleep(takes)).await;
        begun.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn a_step_is_followed_by_a_pause_where_callbacks_come_in() {
        let short = Duration::from_millis(10);
        assert_eq!(step(StepPace::full(), short).await, short);
        assert_eq!(step(StepPace::gentle(), short).await, short * 25);
        let long = Duration::from_mins(1);
        assert_eq!(step(StepPace::gentle(), long).await, long + LONGEST);
    }
}
