//! The time by which age is judged: the database's, if the clocks can be trusted.

use super::PurgeError;
use crate::{
    domain::{Clock, Time},
    storage::Store,
};

/// Asks for the time by which age is judged.
#[derive(Debug)]
pub(super) struct TrustedTime {
    /// This process's clock, which must agree with the database's.
    clock: Clock,
    /// Whether a database clock that went back was logged already.
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
        // By an earlier time less is too old, so going on does no harm.
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
