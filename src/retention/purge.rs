//! One purge: everything that is too old now, step by step, alone.

use std::{
    hash::{BuildHasher, RandomState},
    time::Duration,
};

use backon::{ExponentialBuilder, Retryable};
use tokio::time::Instant;

use super::{Pace, Retention, plan::Fate};
use crate::{
    domain::Time,
    storage::{Cursor, Failure, Lease, Partition, Store, StoreError, Swept},
};

/// How long the right to purge lasts without being renewed, and when it is renewed.
const TERM: Duration = Duration::from_mins(2);
const RENEWAL: Duration = Duration::from_secs(20);

/// Deletes what is too old.
#[derive(Debug)]
pub struct Purge {
    store: Store,
    retention: Retention,
    pace: Pace,
    lease: Lease,
    /// When the lease was taken last.
    taken: Option<Instant>,
}

/// What a purge has done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Purged {
    /// Messages that were deleted.
    pub messages: u64,
    /// Receipts that were deleted one by one.
    pub receipts: u64,
    /// Refused bodies that were deleted.
    pub rejected: u64,
    /// Partitions of receipts that were dropped.
    pub dropped: u64,
    /// Partitions that were made.
    pub made: u64,
}

/// Is told of every step.
pub(super) type Show<'s> = &'s mut (dyn FnMut(&Purged) + Send);

impl Purge {
    /// A purge of `store`.
    #[must_use]
    pub fn new(store: Store, retention: Retention, pace: Pace) -> Self {
        // Its keys are random: no other replica, nor task, has the same word.
        let holder = format!("{:016x}", RandomState::new().hash_one(std::process::id()));
        Self { store, retention, pace, lease: Lease { name: "retention", holder, term: TERM }, taken: None }
    }

    /// Deletes what is too old at `now`. None where another process is at it.
    ///
    /// # Errors
    /// [`StoreError`] where the database does not let it; what was deleted so far is.
    pub async fn run(&mut self, now: Time, show: Show<'_>) -> Result<Option<Purged>, StoreError> {
        if !self.holds_lease().await? {
            return Ok(None);
        }
        let done = self.steps(now, show).await;
        self.give_up().await;
        done.map(Some)
    }

    /// Lets another process go on.
    pub async fn give_up(&mut self) {
        if self.taken.take().is_some() {
            // It runs out by itself where this fails.
            let _ = self.store.release(&self.lease).await;
        }
    }

    async fn steps(&mut self, now: Time, show: Show<'_>) -> Result<Purged, StoreError> {
        let mut done = Purged::default();
        let mut partitions = self.store.partitions().await?;
        if self.store.is_partitioned() {
            for partition in self.retention.period().missing(&partitions, now) {
                done.made += u64::from(self.make(&partition).await?);
            }
        }
        partitions.retain(|partition| self.retention.fate(partition, now) != Fate::Stays);
        for partition in &partitions {
            if !self.holds_lease().await? {
                return Ok(done);
            }
            if let Fate::IsSwept(before) = self.retention.fate(partition, now) {
                self.sweep(partition, before, (&mut done, show)).await?;
            } else {
                unhindered(|| self.store.drop_partition(partition)).await?;
                done.dropped += 1;
                tracing::info!(partition = partition.name, "dropped receipts that are too old");
            }
            show(&done);
        }
        self.purge_messages(now, (&mut done, show)).await?;
        self.purge_rejected(now, (&mut done, show)).await?;
        Ok(done)
    }

    /// Whether it was made. It cannot be where the default partition holds receipts of its time already, which
    /// a clock that ran ahead has dated so; the others of that time then go there too.
    async fn make(&self, partition: &Partition) -> Result<bool, StoreError> {
        match unhindered(|| self.store.make_partition(partition)).await {
            Ok(()) => {
                tracing::info!(partition = partition.name, "made a partition for receipts to come");
                Ok(true)
            }
            Err(error) if error.failure() == Failure::Poison => {
                tracing::warn!(%error, partition = partition.name, "receipts of that time stay in the default partition");
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    async fn sweep(
        &mut self,
        partition: &Partition,
        before: Time,
        (done, show): (&mut Purged, &mut (dyn FnMut(&Purged) + Send)),
    ) -> Result<(), StoreError> {
        let mut place = Some(Cursor::START);
        while let Some(after) = place {
            if !self.holds_lease().await? {
                return Ok(());
            }
            let step = self.pace.take(self.store.purge_receipts(partition, before, after)).await?;
            done.receipts += step.receipts;
            show(done);
            place = step.next;
        }
        Ok(())
    }

    async fn purge_messages(
        &mut self,
        now: Time,
        (done, show): (&mut Purged, &mut (dyn FnMut(&Purged) + Send)),
    ) -> Result<(), StoreError> {
        let Some(before) = self.retention.messages_before(now) else { return Ok(()) };
        let mut place = Some(Cursor::START);
        while let Some(after) = place {
            if !self.holds_lease().await? {
                return Ok(());
            }
            let step = self.pace.take(self.store.purge_messages(before, after)).await?;
            let Swept { messages, receipts, next } = step;
            done.messages += messages;
            done.receipts += receipts;
            show(done);
            place = next;
        }
        Ok(())
    }

    async fn purge_rejected(
        &mut self,
        now: Time,
        (done, show): (&mut Purged, &mut (dyn FnMut(&Purged) + Send)),
    ) -> Result<(), StoreError> {
        while self.holds_lease().await? {
            let gone = self.pace.take(self.store.purge_rejected(now, self.retention.rejected)).await?;
            done.rejected += gone;
            show(done);
            if gone == 0 {
                break;
            }
        }
        Ok(())
    }

    async fn holds_lease(&mut self) -> Result<bool, StoreError> {
        if self.taken.is_some_and(|taken| taken.elapsed() < RENEWAL) {
            return Ok(true);
        }
        let asked = Instant::now();
        self.taken = self.store.take(&self.lease).await?.then_some(asked);
        Ok(self.taken.is_some())
    }
}

/// Tries again, with pauses, where somebody else is in the way.
async fn unhindered<F: Future<Output = Result<(), StoreError>>>(
    change: impl FnMut() -> F,
) -> Result<(), StoreError> {
    let pauses =
        ExponentialBuilder::new().with_min_delay(Duration::from_millis(200)).with_max_times(5).with_jitter();
    change.retry(pauses).when(|error| error.failure() == Failure::Contention).await
}
