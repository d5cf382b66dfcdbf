//! The clock for the time of reception: this machine's, or the database's when this machine's is certainly wrong.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use crate::{
    background::{BackgroundTask, PeriodicJob},
    domain::Clock,
    storage::Store,
};
use chrono::TimeDelta;

/// The interval of comparisons with the database's clock.
const REST: Duration = Duration::from_mins(1);

/// The job that compares this machine's clock with the database's.
#[derive(Debug)]
pub(super) struct ServiceClock {
    store: Store,
    /// How far this machine's clock is ahead, in microseconds; 0 unless it is certainly wrong.
    ahead: Arc<AtomicI64>,
}

impl PeriodicJob for ServiceClock {
    async fn run(&mut self) -> Duration {
        self.compare().await;
        REST
    }
}

impl ServiceClock {
    /// Returns the clock to use in place of `clock`, and the task that corrects it. If the database is prepared, it is
    /// corrected before this returns. An injected clock stays as it is.
    pub async fn start(clock: Clock, store: &Store, is_prepared: bool) -> (Clock, Option<BackgroundTask>) {
        if let Clock::Manual(_) = clock {
            return (clock, None);
        }
        let ahead = Arc::new(AtomicI64::new(0));
        let service_clock = Self { store: store.clone(), ahead: Arc::clone(&ahead) };
        if is_prepared {
            service_clock.compare().await;
        }
        (Clock::Corrected(ahead), Some(BackgroundTask::start(service_clock)))
    }

    /// Compares the clocks. While the database does not answer, the last correction stays.
    async fn compare(&self) {
        let Ok(clocks) = self.store.compare_clocks(&Clock::System).await else { return };
        // A failure is made up for by the next comparison, in a minute.
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
