//! Questions about many messages give way to callbacks: a question can be asked again, a callback is gone.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use tokio::time::{Instant, sleep_until};

use super::AppState;

/// How many times as long as it took a question is paid for with a pause, where callbacks were committed
/// beside it: one that pages without end gets one part in 25 of the time.
const PAUSE: u32 = 24;
/// The longest pause for one question: it may have taken so long because the database stood still.
const LONGEST: Duration = Duration::from_secs(1);

/// When the next question may be asked. All who ask share it.
#[derive(Debug)]
pub(super) struct Pace {
    next: Mutex<Instant>,
}

impl Default for Pace {
    fn default() -> Self {
        Self { next: Mutex::new(Instant::now()) }
    }
}

impl Pace {
    /// Waits for the pauses of earlier questions, asks, and owes a pause where that was `busy`.
    pub async fn take<T>(&self, question: impl Future<Output = T>, busy: impl Fn() -> bool) -> T {
        let next = *self.next.lock().unwrap_or_else(PoisonError::into_inner);
        sleep_until(next).await;
        let (asked, busy_before) = (Instant::now(), busy());
        let answer = question.await;
        if busy_before || busy() {
            let now = Instant::now();
            let pause = ((now - asked) * PAUSE).min(LONGEST);
            let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
            *next = (*next).max(now) + pause;
        }
        answer
    }
}

/// The layer of the routes that do nothing but ask about many messages.
pub(super) async fn give_way(State(state): State<AppState>, request: Request, next: Next) -> Response {
    state.give_way(next.run(request)).await
}

#[cfg(test)]
mod tests {
    use futures_util::future::join_all;
    use tokio::time::sleep;

    use super::*;

    const QUESTION: Duration = Duration::from_millis(10);

    /// How long a question takes with the pause before it, in milliseconds.
    async fn ask(pace: &Pace, busy: bool) -> u128 {
        let begun = Instant::now();
        pace.take(async { sleep(QUESTION).await }, || busy).await;
        begun.elapsed().as_millis()
    }

    #[tokio::test(start_paused = true)]
    async fn the_next_question_waits_where_callbacks_were_committed_beside_one() {
        let pace = Pace::default();
        assert_eq!([ask(&pace, false).await, ask(&pace, false).await], [10, 10]);
        assert_eq!([ask(&pace, true).await, ask(&pace, true).await], [10, 250]);
        assert_eq!([ask(&pace, false).await, ask(&pace, false).await], [250, 10]);
    }

    #[tokio::test(start_paused = true)]
    async fn all_who_ask_share_one_pace() {
        let pace = Pace::default();
        join_all([(); 4].map(|()| ask(&pace, true))).await;
        assert_eq!(ask(&pace, false).await, 4 * 240 + 10);
    }

    #[tokio::test(start_paused = true)]
    async fn no_pause_is_long() {
        let pace = Pace::default();
        pace.take(async { sleep(Duration::from_mins(1)).await }, || true).await;
        assert_eq!(ask(&pace, false).await, LONGEST.as_millis() + 10);
    }
}
