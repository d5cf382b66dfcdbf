//! The clock that callbacks are dated by: the machine's, unless that is certain to be wrong.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use chrono::TimeDelta;
use tokio::{task::JoinHandle, time::sleep};

use crate::{domain::Clock, storage::Store};

/// How long it rests between two comparisons with the database's clock.
const REST: Duration = Duration::from_mins(1);

/// Keeps the clock right that callbacks are dated by.
#[derive(Debug)]
pub(super) struct ServiceClock {
    store: Store,
    ahead: Arc<AtomicI64>,
}

/// Compares clocks in the background, until it is dropped.
#[derive(Debug)]
pub(super) struct ClockTask(Option<JoinHandle<()>>);

impl Drop for ClockTask {
    fn drop(&mut self) {
        if let Some(task) = &self.0 {
            task.abort();
        }
    }
}

impl ServiceClock {
    /// The clock to use in the place of `clock`, and what keeps it right. It is right from the start where the
    /// database answers. An injected clock stays as it is.
    pub async fn start(clock: Clock, store: &Store, is_prepared: bool) -> (Clock, ClockTask) {
        if let Clock::Manual(_) = clock {
            return (clock, ClockTask(None));
        }
        let ahead = Arc::new(AtomicI64::new(0));
        let service_clock = Self { store: store.clone(), ahead: Arc::clone(&ahead) };
        if is_prepared {
            service_clock.compare().await;
        }
        let task = tokio::spawn(async move {
            loop {
                sleep(REST).await;
                service_clock.compare().await;
            }
        });
        (Clock::Corrected(ahead), ClockTask(Some(task)))
    }

    /// While the database does not answer, what was known before still holds.
    async fn compare(&self) {
        let Ok(clocks) = self.store.compare_clocks(&Clock::System).await else { return };
        // It is seen again in a minute where this fails.
        let _ = self.store.see(&clocks).await;
        let error = clocks.error_of_process();
        let before = self.ahead.swap(error.num_microseconds().unwrap_or_default(), Ordering::Relaxed);
        let was_right = before == 0;
        if error == TimeDelta::zero() && !was_right {
            tracing::info!("this machine's clock is right again; callbacks are dated by it");
        } else if error != TimeDelta::zero() && was_right {
            tracing::error!(
                machine = %clocks.process, database = %clocks.database,
                "this machine's clock is wrong: callbacks are dated by the database's; set the clock right"
            );
        }
    }
}
