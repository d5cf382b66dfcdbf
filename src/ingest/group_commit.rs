//! Group commit: while one batch is on its way to disk, the next one gathers. There is no timer, so a lone callback
//! is never delayed.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use tokio::{
    sync::{
        mpsc::{self, error::TrySendError},
        oneshot,
    },
    task::JoinHandle,
};

use super::{
    commit::{Committed, Committer, Failed, Uncommitted},
    config::IngestConfig,
    kept::{Kept, NotKept, Ticket, answer},
    overflow::Overflow,
    recorder::Recorder,
};
use crate::{domain::DeliveryReceipt, exotel::RawRequest};

/// The queue into the store. Cheap to clone. The group commit ends after its last clone is dropped, once everything
/// that was queued is on disk.
#[derive(Clone, Debug)]
pub(super) struct GroupCommit {
    queue: mpsc::Sender<Uncommitted<Ticket>>,
    committing: Arc<AtomicBool>,
}

/// How full the queue of callbacks is that wait for a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueLength {
    /// How many wait.
    pub waiting: usize,
    /// The most that may wait.
    pub most: usize,
}

impl GroupCommit {
    /// Starts the task that commits what is queued.
    pub fn start<R: Recorder>(
        config: IngestConfig,
        committer: Committer<R>,
        overflow: Overflow,
    ) -> (Self, JoinHandle<()>) {
        let (sender, queue) = mpsc::channel(config.queue.get());
        let committing = Arc::new(AtomicBool::new(false));
        let gathering =
            Gathering { queue, batch: config.batch.get(), committing: Arc::clone(&committing), overflow };
        (Self { queue: sender, committing }, tokio::spawn(gathering.run(committer)))
    }

    /// Whether a batch is on its way to disk.
    pub fn is_committing(&self) -> bool {
        self.committing.load(Ordering::Relaxed)
    }

    /// How full the queue is.
    pub fn queue(&self) -> QueueLength {
        let most = self.queue.max_capacity();
        QueueLength { waiting: most - self.queue.capacity(), most }
    }

    /// Waits until the receipt is on disk.
    pub async fn keep(&self, receipt: Box<DeliveryReceipt>, raw: RawRequest) -> Result<Kept, NotKept> {
        let (ticket, answer) = oneshot::channel();
        self.queue.try_send(Uncommitted { receipt, raw, ticket }).map_err(|error| match error {
            TrySendError::Full(_) => NotKept::QueueFull,
            TrySendError::Closed(_) => NotKept::Unavailable,
        })?;
        answer.await.unwrap_or(Err(NotKept::Unavailable))
    }
}

/// The task behind the queue.
struct Gathering {
    queue: mpsc::Receiver<Uncommitted<Ticket>>,
    /// The most callbacks of one commit.
    batch: usize,
    committing: Arc<AtomicBool>,
    overflow: Overflow,
}

impl Gathering {
    async fn run<R: Recorder>(mut self, mut committer: Committer<R>) {
        loop {
            let batch = self.gather().await;
            if batch.is_empty() {
                break;
            }
            if self.overflow.circuit.is_open() {
                self.overflow.spool(batch).await;
            } else {
                self.committing.store(true, Ordering::Relaxed);
                // Boxed: it is larger than all that surrounds it.
                let done = self.outwait(Box::pin(committer.commit(batch))).await;
                self.committing.store(false, Ordering::Relaxed);
                self.release(done).await;
            }
        }
    }

    /// Takes what has gathered, or waits for one callback. Nothing once the queue is closed and empty.
    async fn gather(&mut self) -> Vec<Uncommitted<Ticket>> {
        let mut gathered = Vec::with_capacity(self.queue.len().min(self.batch));
        self.queue.recv_many(&mut gathered, self.batch).await;
        gathered
    }

    /// Waits for a commit. Where the store does not even answer a ping, callbacks that come meanwhile go to the
    /// spool, so that only those in the commit itself wait for its deadline.
    async fn outwait(
        &mut self,
        mut commit: impl Future<Output = Committed<Ticket>> + Unpin,
    ) -> Committed<Ticket> {
        tokio::select! {
            committed = &mut commit => return committed,
            () = self.overflow.store_hangs() => {}
        }
        let mut ended = false;
        loop {
            tokio::select! {
                committed = &mut commit => return committed,
                batch = self.gather(), if !ended => {
                    ended = batch.is_empty();
                    self.overflow.spool(batch).await;
                }
            }
        }
    }

    /// Answers those who wait for a batch. What failed opens the circuit and goes to the spool.
    async fn release(&self, committed: Committed<Ticket>) {
        answer(committed.recorded, Ok(Kept::Recorded));
        answer(committed.refused, Err(NotKept::RefusedByStore));
        if let Some(Failed { error, rest }) = committed.failed {
            self.overflow.circuit.open(&error);
            self.overflow.spool(rest).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{num::NonZero, time::Duration};

    use futures_util::future::join_all;
    use tokio::time::{Instant, sleep};

    use super::*;
    use crate::ingest::{
        circuit::Circuit,
        overflow::STALL,
        scripted::{DEADLINE, ScriptedStore, uncommitted},
        spool::{SpoolQueue, Unspooled},
    };

    /// A group commit over a scripted store, with a spool that keeps everything.
    struct Rig {
        store: ScriptedStore,
        circuit: Circuit,
        group_commit: GroupCommit,
        task: JoinHandle<()>,
        spooled: JoinHandle<Vec<String>>,
    }

    fn config(batch: usize, queue: usize) -> IngestConfig {
        let [batch, queue] = [batch, queue].map(|number| NonZero::new(number).unwrap());
        IngestConfig { batch, queue, commit_timeout_ms: NonZero::new(2000).unwrap() }
    }

    impl Rig {
        fn start(config: IngestConfig) -> Self {
            let (queue, mut spooling) = mpsc::channel::<Unspooled>(8);
            let spooled = tokio::spawn(async move {
                let mut bodies = Vec::new();
                while let Some(Unspooled { request, ticket }) = spooling.recv().await {
                    bodies.push(String::from_utf8(request.body).unwrap());
                    answer([ticket], Ok(Kept::Spooled));
                }
                bodies
            });
            Self::with(config, Some(SpoolQueue::into_channel(queue)), spooled)
        }

        fn without_spool(config: IngestConfig) -> Self {
            Self::with(config, None, tokio::spawn(async { Vec::new() }))
        }

        fn with(config: IngestConfig, spool: Option<SpoolQueue>, spooled: JoinHandle<Vec<String>>) -> Self {
            let (store, circuit) = (ScriptedStore::default(), Circuit::default());
            let asked = store.clone();
            let overflow = Overflow {
                circuit: circuit.clone(),
                spool,
                ping: Box::new(move || {
                    let hangs = asked.script().hangs;
                    Box::pin(async move { !hangs })
                }),
            };
            let (group_commit, task) = GroupCommit::start(config, store.committer(), overflow);
            Self { store, circuit, group_commit, task, spooled }
        }

        async fn keep(&self, at: usize) -> Result<Kept, NotKept> {
            let Uncommitted { receipt, raw, .. } = uncommitted(&format!("s{at}"), ());
            self.group_commit.keep(receipt, raw).await
        }

        async fn keep_all(&self, range: std::ops::Range<usize>) -> Vec<Result<Kept, NotKept>> {
            join_all(range.map(|at| self.keep(at))).await
        }

        /// Ends it, and returns the bodies in the spool.
        async fn end(self) -> Vec<String> {
            drop(self.group_commit);
            self.task.await.unwrap();
            self.spooled.await.unwrap()
        }
    }

    fn bodies(range: std::ops::Range<usize>) -> Vec<String> {
        range.map(|at| format!("SmsSid=s{at}&Status=sent")).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn what_comes_during_a_commit_is_committed_together_in_batches_of_the_size_at_most() {
        let rig = Rig::start(config(4, 100));
        assert!(rig.keep_all(0..10).await.iter().all(|kept| *kept == Ok(Kept::Recorded)));
        let sizes: Vec<_> = rig.store.script().tried.iter().map(Vec::len).collect();
        assert_eq!(sizes, [4, 4, 2]);
        assert!(rig.end().await.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_lone_callback_waits_for_nobody() {
        let rig = Rig::start(config(512, 100));
        let begun = Instant::now();
        assert_eq!(rig.keep(0).await, Ok(Kept::Recorded));
        assert_eq!(begun.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn a_failure_opens_the_circuit_and_everything_goes_to_the_spool_in_order() {
        let rig = Rig::start(config(2, 100));
        rig.store.script().is_out = true;
        assert!(rig.keep_all(0..6).await.iter().all(|kept| *kept == Ok(Kept::Spooled)));
        assert!(rig.circuit.is_open());
        assert_eq!(rig.store.script().tried.len(), 1, "an open circuit spares the store");
        rig.store.script().is_out = false;
        assert_eq!(rig.keep(6).await, Ok(Kept::Spooled), "only the drain closes the circuit");
        rig.circuit.close();
        assert_eq!(rig.keep(7).await, Ok(Kept::Recorded));
        assert_eq!(rig.end().await, bodies(0..7));
    }

    #[tokio::test(start_paused = true)]
    async fn behind_a_store_that_hangs_only_the_commit_itself_waits_for_the_deadline() {
        let rig = Rig::start(config(1, 100));
        rig.store.script().hangs = true;
        let begun = Instant::now();
        let in_commit = rig.keep(0);
        let behind = async {
            sleep(Duration::from_millis(1)).await;
            let kept = rig.keep(1).await;
            (kept, begun.elapsed())
        };
        let (in_commit, (behind, waited)) = tokio::join!(in_commit, behind);
        assert_eq!((in_commit, behind), (Ok(Kept::Spooled), Ok(Kept::Spooled)));
        assert!(waited <= 2 * STALL, "{waited:?}");
        assert_eq!(begun.elapsed(), DEADLINE);
        assert!(rig.circuit.is_open());
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_spool_callbacks_are_not_kept_while_the_store_fails() {
        let rig = Rig::without_spool(config(2, 100));
        rig.store.script().is_out = true;
        assert_eq!(rig.keep_all(0..3).await, [Err(NotKept::Unavailable); 3]);
        assert!(rig.end().await.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_full_queue_is_back_pressure() {
        let rig = Rig::without_spool(config(1, 2));
        rig.store.script().hangs = true;
        let kept = rig.keep_all(0..5).await;
        // One is in the commit, or will be; two wait.
        assert!(kept.iter().filter(|kept| **kept == Err(NotKept::QueueFull)).count() >= 2, "{kept:?}");
        assert_eq!(rig.group_commit.queue(), QueueLength { waiting: 0, most: 2 });
    }

    #[tokio::test(start_paused = true)]
    async fn the_end_commits_what_is_queued() {
        let rig = Rig::start(config(1, 100));
        let keeping: Vec<_> = (0..5)
            .map(|at| {
                let (group_commit, Uncommitted { receipt, raw, .. }) =
                    (rig.group_commit.clone(), uncommitted(&format!("s{at}"), ()));
                tokio::spawn(async move { group_commit.keep(receipt, raw).await })
            })
            .collect();
        tokio::task::yield_now().await;
        let store = rig.store.clone();
        rig.end().await;
        for kept in join_all(keeping).await {
            assert_eq!(kept.unwrap(), Ok(Kept::Recorded));
        }
        assert_eq!(store.script().recorded.len(), 5);
    }

    #[tokio::test(start_paused = true)]
    async fn a_sender_that_hangs_up_changes_nothing() {
        let rig = Rig::start(config(4, 100));
        let hung_up = tokio::time::timeout(Duration::ZERO, rig.keep(0)).await;
        assert!(hung_up.is_err());
        assert_eq!(rig.keep(1).await, Ok(Kept::Recorded));
        assert_eq!(rig.store.script().recorded, ["s0", "s1"]);
    }
}
