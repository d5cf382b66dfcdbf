//! Work that yields to callbacks: after work that overlapped a commit, wait 24 times its duration. Work that goes on
//! and on then gets one part in 25 of the time. A leaf: it imports nothing of this crate.

use std::time::Duration;

use tokio::time::Instant;

/// How many times as long as the work took the pause after it is.
const PAUSE: u32 = 24;

/// Work under way, of which it is noted whether callbacks were committed beside it.
#[derive(Debug)]
pub struct PacedWork<B: Fn() -> bool> {
    began: Instant,
    was_busy: bool,
    is_busy: B,
}

impl<B: Fn() -> bool> PacedWork<B> {
    /// Begins. `is_busy` says whether callbacks are being committed at the moment.
    pub fn begin(is_busy: B) -> Self {
        Self { began: Instant::now(), was_busy: is_busy(), is_busy }
    }

    /// The pause that is due if the work ends now, up to `longest`. None where no commit overlapped it.
    pub fn pause(&self, longest: Duration) -> Option<Duration> {
        let overlapped = self.was_busy || (self.is_busy)();
        overlapped.then(|| (self.began.elapsed() * PAUSE).min(longest))
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_pause_is_due_where_a_commit_ran_at_the_beginning_or_at_the_end() {
        let longest = Duration::from_secs(1);
        let (took, pause) = (Duration::from_millis(10), Some(Duration::from_millis(240)));
        for (at_the_beginning, at_the_end, due) in
            [(false, false, None), (true, false, pause), (false, true, pause), (true, true, pause)]
        {
            let busy = Cell::new(at_the_beginning);
            let work = PacedWork::begin(|| busy.get());
            busy.set(at_the_end);
            tokio::time::advance(took).await;
            assert_eq!(work.pause(longest), due);
        }
        let work = PacedWork::begin(|| true);
        tokio::time::advance(Duration::from_mins(1)).await;
        assert_eq!(work.pause(longest), Some(longest));
    }
}
