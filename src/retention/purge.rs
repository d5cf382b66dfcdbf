//! One purge: deletes everything that is too old now, step by step, under a lease.

use std::{
    hash::{BuildHasher, RandomState},
    time::Duration,
};

use tokio::time::Instant;

use super::{
    PurgeError, Retention, StepPace,
    partitions::{Maker, unhindered},
    plan::Fate,
    trusted_time::TrustedTime,
};
use crate::{
    domain::{Clock, Time},
    storage::{Cursor, Lease, Partition, Store, StoreError, Swept},
};

/// The term of the lease, and the age at which it is renewed.
const TERM: Duration = Duration::from_mins(2);
const RENEWAL: Duration = Duration::from_secs(20);

/// Deletes what is too old, by the database's clock.
#[derive(Debug)]
pub struct Purge {
    store: Store,
    retention: Retention,
    pace: StepPace,
    time: TrustedTime,
    maker: Maker,
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
type Show<'s> = &'s mut (dyn FnMut(&Purged) + Send);

/// What is done so far, and who is told.
struct Tally<'s> {
    done: Purged,
    show: Show<'s>,
}

impl Tally<'_> {
    fn add(&mut self, count: impl FnOnce(&mut Purged)) {
        count(&mut self.done);
        (self.show)(&self.done);
    }
}

impl Purge {
    /// A purge of `store`, by a process with this clock.
    #[must_use]
    pub fn new(store: Store, retention: Retention, pace: StepPace, clock: Clock) -> Self {
        // Random, so that no other replica and no other task has the same value.
        let holder = format!("{:016x}", RandomState::new().hash_one(std::process::id()));
        let lease = Lease { name: "retention", holder, term: TERM };
        let (time, maker) = (TrustedTime::new(clock), Maker::new(store.clone(), retention.period()));
        Self { store, retention, pace, time, maker, lease, taken: None }
    }

    /// Makes every partition that is missing, however long callbacks wait for it.
    #[must_use]
    pub fn thorough(self) -> Self {
        Self { maker: self.maker.thorough(), ..self }
    }

    /// Deletes what is too old. None while another process holds the lease.
    ///
    /// # Errors
    /// [`PurgeError`] where the clocks cannot be trusted, or the database fails.
    pub async fn run(&mut self, show: Show<'_>) -> Result<Option<Purged>, PurgeError> {
        // Before the lease is taken: a replica whose clock is wrong must leave it to others.
        let now = self.time.now(&self.store).await?;
        if !self.holds_lease().await? {
            return Ok(None);
        }
        let done = self.steps(now, show).await;
        self.give_up().await;
        Ok(done.map(Some)?)
    }

    /// Releases the lease, so that another process may continue.
    pub async fn give_up(&mut self) {
        if self.taken.take().is_some() {
            // If this fails, the lease runs out by itself.
            let _ = self.store.release(&self.lease).await;
        }
    }

    async fn steps(&mut self, now: Time, show: Show<'_>) -> Result<Purged, StoreError> {
        let mut tally = Tally { done: Purged::default(), show };
        let partitions = self.store.partitions().await?;
        let made = self.maker.make_missing(&partitions, now).await;
        tally.done.made = *made.as_ref().unwrap_or(&0);
        for partition in &partitions {
            let fate = self.retention.fate(partition, now);
            if fate == Fate::Stays {
                continue;
            }
            if !self.holds_lease().await? {
                return Ok(tally.done);
            }
            if let Fate::IsSwept(before) = fate {
                self.sweep(partition, before, &mut tally).await?;
            } else {
                unhindered(|| self.store.drop_partition(partition)).await?;
                tally.add(|done| done.dropped += 1);
                tracing::info!(partition = partition.name, "dropped receipts that are too old");
            }
        }
        self.purge_messages(now, &mut tally).await?;
        self.purge_rejected(now, &mut tally).await?;
        // A failure to make partitions is reported only now: what is too old was deleted all the same.
        made?;
        Ok(tally.done)
    }

    async fn sweep(
        &mut self,
        partition: &Partition,
        before: Time,
        tally: &mut Tally<'_>,
    ) -> Result<(), StoreError> {
        let mut place = Some(Cursor::START);
        while let Some(after) = place {
            if !self.holds_lease().await? {
                return Ok(());
            }
            let step = self.pace.step(self.store.purge_receipts(partition, before, after)).await?;
            tally.add(|done| done.receipts += step.receipts);
            place = step.next;
        }
        Ok(())
    }

    async fn purge_messages(&mut self, now: Time, tally: &mut Tally<'_>) -> Result<(), StoreError> {
        let Some(before) = self.retention.messages_before(now) else { return Ok(()) };
        let mut place = Some(Cursor::START);
        while let Some(after) = place {
            if !self.holds_lease().await? {
                return Ok(());
            }
            let step = self.pace.step(self.store.purge_messages(before, after)).await?;
            let Swept { messages, receipts, next } = step;
            tally.add(|done| {
                done.messages += messages;
                done.receipts += receipts;
            });
            place = next;
        }
        Ok(())
    }

    async fn purge_rejected(&mut self, now: Time, tally: &mut Tally<'_>) -> Result<(), StoreError> {
        while self.holds_lease().await? {
            let gone = self.pace.step(self.store.purge_rejected(now, self.retention.rejected)).await?;
            tally.add(|done| done.rejected += gone);
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
