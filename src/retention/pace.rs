//! Deleting gives way to callbacks: a step beside which callbacks were committed is paid for with a pause.

use std::{fmt, time::Duration};

use tokio::time::{Instant, sleep};

/// How many times as long as it took a step is paid for: what is deleted gets one part in 25 of the time.
const PAUSE: u32 = 24;
/// The longest pause: a step may have taken so long because the database stood still.
const LONGEST: Duration = Duration::from_secs(20);

/// How fast is deleted.
pub struct Pace(Box<dyn Fn() -> bool + Send + Sync>);

impl Pace {
    /// Pauses where callbacks are being committed, as `busy` says.
    pub fn beside(busy: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self(Box::new(busy))
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

    /// Takes a step, and the pause that it costs.
    pub(super) async fn take<T>(&self, step: impl Future<Output = T>) -> T {
        let (begun, busy_before) = (Instant::now(), (self.0)());
        let done = step.await;
        if busy_before || (self.0)() {
            sleep((begun.elapsed() * PAUSE).min(LONGEST)).await;
        }
        done
    }
}

impl fmt::Debug for Pace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pace")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn step(pace: Pace, takes: Duration) -> Duration {
        let begun = Instant::now();
        pace.take(sleep(takes)).await;
        begun.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn a_step_is_paid_for_where_callbacks_come_in() {
        let short = Duration::from_millis(10);
        assert_eq!(step(Pace::full(), short).await, short);
        assert_eq!(step(Pace::gentle(), short).await, short * (PAUSE + 1));
        let long = Duration::from_mins(1);
        assert_eq!(step(Pace::gentle(), long).await, long + LONGEST);
    }
}
