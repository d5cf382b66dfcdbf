//! Questions yield to callbacks: a question can be asked again, a callback that is lost is gone.
//!
//! After a question that overlapped a commit, the next question of its class waits 24 times its duration, so that a client which
//! asks in an endless loop gets one part in 25 of the time. No question waits longer than a second, however many clients ask.
//! Classes do not wait for each other, so a month's statistics do not delay a small page. Only a few scans run at once.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, sleep_until},
};

use crate::pace::PacedWork;

/// The longest pause before a question.
const LONGEST: Duration = Duration::from_secs(1);

/// How much of the database a question reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reads {
    /// A few rows, by an index.
    Few,
    /// Some hundred rows, by an index.
    Many,
    /// Possibly most of the rows.
    Scan,
    /// A further part of a scan whose answer has begun, so that it can no longer be refused.
    RestOfScan,
}

impl Reads {
    /// The most rows that count as few.
    const FEW: usize = 50;

    /// The class of a question that reads at most so many rows, by an index.
    pub fn rows(most: usize) -> Self {
        if most <= Self::FEW { Self::Few } else { Self::Many }
    }
}

/// The pause that each class owes, and a limit of scans at once.
#[derive(Debug)]
pub(super) struct QuestionPace {
    few: Debt,
    many: Debt,
    scan: Debt,
    /// The class of changes that are made step by step, such as erasing.
    pub steps: Debt,
    scans: Arc<Semaphore>,
}

impl QuestionPace {
    /// With a limit of scans at once.
    pub fn new(scans: usize) -> Self {
        Self {
            few: Debt::default(),
            many: Debt::default(),
            scan: Debt::default(),
            steps: Debt::default(),
            scans: Arc::new(Semaphore::new(scans)),
        }
    }

    /// The debt of a class.
    pub fn of(&self, reads: Reads) -> &Debt {
        match reads {
            Reads::Few => &self.few,
            Reads::Many => &self.many,
            Reads::Scan | Reads::RestOfScan => &self.scan,
        }
    }

    /// A permit to scan, to be held until the scan has ended. None while as many run as are allowed.
    pub async fn may_scan(&self, reads: Reads) -> Option<OwnedSemaphorePermit> {
        let scans = Arc::clone(&self.scans);
        match reads {
            Reads::RestOfScan => scans.acquire_owned().await.ok(),
            _ => scans.try_acquire_owned().ok(),
        }
    }
}

/// The time at which a class may ask its next question.
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
    /// Waits for the pause that is due, and then asks. If the store was `busy` meanwhile, the class owes a pause afterwards, also
    /// where the question is given up.
    pub async fn take<T>(&self, question: impl Future<Output = T>, busy: impl Fn() -> bool) -> T {
        let next = *self.next.lock().unwrap_or_else(PoisonError::into_inner);
        sleep_until(next).await;
        let _asked = PaidQuestion { debt: self, work: PacedWork::begin(busy) };
        question.await
    }

    fn owe(&self, pause: Duration) {
        let now = Instant::now();
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        // Pauses of concurrent questions add up, but to no more than the longest pause from now.
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
