//! `[rejected]`.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::storage::Keep;

/// `[rejected]`: how much of the log of refused bodies is kept.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct RejectedConfig {
    /// At most so many bodies.
    pub max_count: u32,
    /// None older than so many days.
    pub max_age_days: u32,
}

impl RejectedConfig {
    /// As the store takes it.
    #[must_use]
    pub fn keep(&self) -> Keep {
        const DAY: u64 = 24 * 60 * 60;
        Keep { count: self.max_count, age: Duration::from_secs(u64::from(self.max_age_days) * DAY) }
    }
}
