//! What is logged once a minute at most, however often it happens.

use std::time::{Duration, Instant};

#[derive(Debug, Default)]
pub(super) struct LogLimit(Option<Instant>);

impl LogLimit {
    /// Whether a line is due, which is then taken for written.
    pub fn allow(&mut self) -> bool {
        let due = self.0.is_none_or(|last| last.elapsed() > Duration::from_mins(1));
        if due {
            self.0 = Some(Instant::now());
        }
        due
    }
}
