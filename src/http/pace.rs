//! Pacing: questions yield to callbacks. A question can be asked again, a callback is gone.
//!
//! Where callbacks were being committed beside a question, the next one of its class waits 24 times as long as that one
//! took, so that a client which asks without end gets one part in 25 of the time. Nobody waits longer than a second,
//! however many others ask. Classes do not pay for each other, so that a small page is not kept waiting by a month's
//! statistics; and only a few scans run beside each other.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, sleep_until},
};

use crate::pace::PacedWork;

/// The longest that any question waits.
const LONGEST: Duration = Duration::from_secs(1);

/// How much of the database a question reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reads {
    /// A few rows, by an index.
    Few,
    /// Some hundred rows, by an index.
    Many,
    /// As many rows as there may be.
    Scan,
    /// A further part of a scan whose answer has begun, so that it can be refused no longer.
    RestOfScan,
}

impl Reads {
    /// How many rows are few.
    const FEW: usize = 50;

    /// So many rows at most, by an index.
    pub fn rows(most: usize) -> Self {
        if most <= Self::FEW { Self::Few } else { Self::Many }
    }
}

/// What the questions of each class owe, and how many more scans may run.
#[derive(Debug)]
pub(super) struct QuestionPace {
    few: Debt,
    many: Debt,
    scan: Debt,
    /// Of changes that are made step by step, such as erasing.
    pub steps: Debt,
    scans: Arc<Semaphore>,
}

impl QuestionPace {
    /// With so many scans at once.
    pub fn new(scans: usize) -> Self {
        Self {
            few: Debt::default(),
            many: Debt::default(),
            scan: Debt::default(),
            steps: Debt::default(),
            scans: Arc::new(Semaphore::new(scans)),
        }
    }

    /// What a class owes.
    pub fn of(&self, reads: Reads) -> &Debt {
        match reads {
            Reads::Few => &self.few,
            Reads::Many => &self.many,
            Reads::Scan | Reads::RestOfScan => &self.scan,
        }
    }

    /// The right to scan, to be kept until the scan has ended. None where as many run as may.
    pub async fn may_scan(&self, reads: Reads) -> Option<OwnedSemaphorePermit> {
        let scans = Arc::clone(&self.scans);
        match reads {
            Reads::RestOfScan => scans.acquire_owned().await.ok(),
            _ => scans.try_acquire_owned().ok(),
        }
    }
}

/// When the next question of a class may be asked.
#[derive(Debug)]
pub(super) struct Debt {
    next: Mutex<Instant>,
}

impl Default for Debt {
    fn default() -> Self {
        Self { next: Mutex::new(Instant::now()) }
    }
}

impl Debt {
    /// Waits for the pause that is owed, asks, and owes a pause where that was `busy`; also where the question is given up.
    pub async fn take<T>(&self, question: impl Future<Output = T>, busy: impl Fn() -> bool) -> T {
        let next = *self.next.lock().unwrap_or_else(PoisonError::into_inner);
        sleep_until(next).await;
        let _asked = PaidQuestion { debt: self, work: PacedWork::begin(busy) };
        question.await
    }

    fn owe(&self, pause: Duration) {
        let now = Instant::now();
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        // Pauses of questions that ran beside each other add up to the longest one, and no further.
        *next = ((*next).max(now) + pause).min(now + LONGEST);
    }
}

/// A question under way. When it ends, also where it is given up, its class owes the pause.
struct PaidQuestion<'d, B: Fn() -> bool> {
    debt: &'d Debt,
    work: PacedWork<B>,
}

impl<B: Fn() -> bool> Drop for PaidQuestion<'_, B> {
    fn drop(&mut self) {
        if let Some(pause) = self.work.pause(LONGEST) {
            self.debt.owe(pause);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::future::join_all;
    use tokio::time::sleep;

    use super::*;

    const QUESTION: Duration = Duration::from_millis(10);

    /// How long a question takes with the pause before it, in milliseconds.
    async fn ask(debt: &Debt, busy: bool) -> u128 {
        let begun = Instant::now();
        debt.take(async { sleep(QUESTION).await }, || busy).await;
        begun.elapsed().as_millis()
    }

    #[tokio::test(start_paused = true)]
    async fn the_next_question_waits_where_callbacks_were_committed_beside_one() {
        let debt = Debt::default();
        assert_eq!([ask(&debt, false).await, ask(&debt, false).await], [10, 10]);
        assert_eq!([ask(&debt, true).await, ask(&debt, true).await], [10, 250]);
        assert_eq!([ask(&debt, false).await, ask(&debt, false).await], [250, 10]);
    }

    #[tokio::test(start_paused = true)]
    async fn all_who_ask_share_one_pace_as_long_as_nobody_waits_a_second() {
        let debt = Debt::default();
        join_all([(); 4].map(|()| ask(&debt, true))).await;
        assert_eq!(ask(&debt, false).await, 4 * 240 + 10);
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_longer_than_a_second_however_many_ask() {
        let debt = Debt::default();
        for crowd in [60, 600] {
            let waited = join_all((0..crowd).map(|_| ask(&debt, true))).await;
            assert!(waited.iter().all(|&waited| waited <= 1010), "{waited:?}");
            assert_eq!(ask(&debt, true).await, 1010, "beside {crowd}");
        }
        debt.take(async { sleep(Duration::from_mins(1)).await }, || true).await;
        assert_eq!(ask(&debt, false).await, 1010);
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_asks_without_end_gets_one_part_in_25_of_the_time() {
        let (debt, begun) = (Debt::default(), Instant::now());
        for _ in 0..100 {
            ask(&debt, true).await;
        }
        assert_eq!(begun.elapsed().as_millis(), 100 * 10 + 99 * 240);
    }

    #[tokio::test(start_paused = true)]
    async fn a_question_that_is_given_up_is_paid_for_too() {
        let debt = Debt::default();
        let given_up = debt.take(std::future::pending::<()>(), || true);
        tokio::time::timeout(QUESTION, given_up).await.unwrap_err();
        assert_eq!(ask(&debt, false).await, 250);
    }

    #[tokio::test(start_paused = true)]
    async fn no_class_pays_for_another() {
        let pace = QuestionPace::new(1);
        join_all([(); 60].map(|()| ask(pace.of(Reads::Scan), true))).await;
        let waited = tokio::join!(
            ask(pace.of(Reads::Few), true),
            ask(pace.of(Reads::Many), true),
            ask(&pace.steps, true),
            ask(pace.of(Reads::RestOfScan), true),
        );
        assert_eq!(waited, (10, 10, 10, 1010));
    }

    #[tokio::test(start_paused = true)]
    async fn scans_are_few_and_one_that_has_begun_goes_on_before_others() {
        let pace = Arc::new(QuestionPace::new(2));
        let (first, second) = (pace.may_scan(Reads::Scan).await, pace.may_scan(Reads::Scan).await);
        assert!(first.is_some() && second.is_some());
        assert!(pace.may_scan(Reads::Scan).await.is_none(), "at once");
        let rest = tokio::spawn({
            let pace = Arc::clone(&pace);
            async move { pace.may_scan(Reads::RestOfScan).await }
        });
        tokio::task::yield_now().await;
        drop(first);
        assert!(pace.may_scan(Reads::Scan).await.is_none(), "the one that waits goes first");
        let rest = rest.await.unwrap();
        drop(second);
        assert!(pace.may_scan(Reads::Scan).await.is_some());
        drop(rest);
    }
}
