//! The time that is deleted by: the database's, where the clocks are trusted.

use super::PurgeError;
use crate::{
    domain::{Clock, Time},
    storage::Store,
};

/// Asks for the time that is deleted by.
#[derive(Debug)]
pub(super) struct TrustedTime {
    /// This process's clock, which has to agree with the database's.
    clock: Clock,
    /// Whether it was warned that the database's clock went back; once is enough.
    has_warned: bool,
}

impl TrustedTime {
    /// For a process with this clock.
    pub fn new(clock: Clock) -> Self {
        Self { clock, has_warned: false }
    }

    /// The time by the database's clock.
    pub async fn now(&mut self, store: &Store) -> Result<Time, PurgeError> {
        let clocks = store.compare_clocks(&self.clock).await?;
        let now = clocks.checked()?;
        store.see(&clocks).await?;
        let ahead = clocks.seen_ahead();
        // Less is too old by an earlier time, so there is no harm in going on.
        if let Some(seen) = ahead.filter(|_| !self.has_warned) {
            tracing::warn!(
                %now, %seen,
                "the database's clock was once seen later than it says now, so a leap ahead would not be noticed; if \
                 it is right now, run `dlr-receiver purge --trust-clock`"
            );
        }
        self.has_warned = ahead.is_some();
        Ok(now)
    }
}
