//! How much of the log of refused bodies is kept.

use std::time::Duration;

use crate::domain::Time;

/// How much of the log is kept.
#[derive(Clone, Copy, Debug)]
pub struct Keep {
    /// The most bodies.
    pub count: u32,
    /// The greatest age of a body.
    pub age: Duration,
}

impl Keep {
    /// Bodies that came before this time are too old at `now`.
    pub(in crate::storage) fn oldest(self, now: Time) -> Time {
        let age = chrono::Duration::from_std(self.age).unwrap_or(chrono::Duration::MAX);
        // Postgres' times begin later than chrono's.
        now.checked_sub_signed(age).unwrap_or(Time::UNIX_EPOCH).max(Time::UNIX_EPOCH)
    }
}
