//! A rate limit for log lines.

use std::time::{Duration, Instant};

/// Allows one log line a minute, however often its event happens. Holds the time of the last line.
#[derive(Debug, Default)]
pub(super) struct LogLimit(Option<Instant>);

impl LogLimit {
    /// Whether a line may be written now. If so, the next minute begins.
    pub fn allow(&mut self) -> bool {
        let due = self.0.is_none_or(|last| last.elapsed() > Duration::from_mins(1));
        if due {
            self.0 = Some(Instant::now());
        }
        due
    }
}
