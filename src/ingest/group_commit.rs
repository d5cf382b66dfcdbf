//! Group commit: while one batch is on its way to disk, the next one gathers. No timer, so that a lone
//! callback is never delayed.

use std::{
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::{
        mpsc::{self, error::TrySendError},
        oneshot,
    },
    task::JoinHandle,
    time::{sleep, timeout},
};

use super::{
    circuit::Circuit,
    commit::{Committed, Committer, Pending},
    config::IngestConfig,
    kept::{Kept, NotKept, Ticket},
    spool::{SpoolQueue, SpooledArrival, spooled},
};
use crate::{domain::DeliveryReceipt, exotel::RawRequest, storage::Store};

/// The way into the store. Cheap to clone; the group commit ends with the last clone, once everything
/// that waits is on disk.
#[derive(Clone, Debug)]
pub(super) struct GroupCommit {
    queue: mpsc::Sender<Pending<Ticket>>,
    committing: Arc<AtomicBool>,
}

impl GroupCommit {
    /// Starts to commit what comes.
    pub fn start(config: IngestConfig, committer: Committer, overflow: Overflow) -> (Self, JoinHandle<()>) {
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

    /// How many wait, and how many may.
    pub fn queue(&self) -> (usize, usize) {
        let most = self.queue.max_capacity();
        (most - self.queue.capacity(), most)
    }

    /// Waits until the receipt is on disk.
    pub async fn keep(&self, receipt: Box<DeliveryReceipt>, raw: RawRequest) -> Result<Kept, NotKept> {
        let (waiting, answer) = oneshot::channel();
        self.queue.try_send(Pending { receipt, raw, waiting }).map_err(|error| match error {
            TrySendError::Full(_) => NotKept::QueueFull,
            TrySendError::Closed(_) => NotKept::Unavailable,
        })?;
        answer.await.unwrap_or(Err(NotKept::Unavailable))
    }
}

/// Where callbacks go that the store cannot take.
#[derive(Debug)]
pub(super) struct Overflow {
    pub circuit: Circuit,
    pub spool: Option<SpoolQueue>,
    pub store: Store,
}

impl Overflow {
    /// Waits until the store gives no sign of life; for good where there is no spool to turn to.
    async fn store_hangs(&self) {
        if self.spool.is_none() {
            pending::<()>().await;
        }
        let mut alive = true;
        while alive {
            sleep(STALL).await;
            alive = matches!(timeout(STALL, self.store.ping()).await, Ok(Ok(())));
        }
    }

    async fn take(&self, batch: Vec<Pending<Ticket>>) {
        for Pending { receipt, raw, waiting } in batch {
            match &self.spool {
                Some(spool) => {
                    spool.take(spooled(raw, SpooledArrival::of(&receipt)), waiting).await;
                }
                None => answer([waiting], Err(NotKept::Unavailable)),
            }
        }
    }
}

/// How long a commit may take before the store is asked for a sign of life, and how long that may take.
const STALL: Duration = Duration::from_millis(100);

struct Gathering {
    queue: mpsc::Receiver<Pending<Ticket>>,
    /// The most callbacks of one commit.
    batch: usize,
    committing: Arc<AtomicBool>,
    overflow: Overflow,
}

impl Gathering {
    async fn run(mut self, mut committer: Committer) {
        loop {
            let batch = self.gather().await;
            if batch.is_empty() {
                break;
            }
            if self.overflow.circuit.is_open() {
                self.overflow.take(batch).await;
            } else {
                self.committing.store(true, Ordering::Relaxed);
                // Boxed: it is larger than all that surrounds it.
                let done = self.outwait(Box::pin(committer.commit(batch))).await;
                self.committing.store(false, Ordering::Relaxed);
                self.release(done).await;
            }
        }
    }

    /// What has gathered, or the first that comes; nothing at the end.
    async fn gather(&mut self) -> Vec<Pending<Ticket>> {
        let mut gathered = Vec::with_capacity(self.queue.len().min(self.batch));
        self.queue.recv_many(&mut gathered, self.batch).await;
        gathered
    }

    /// Waits for a commit. Where it is not just slow, but the store gives no sign of life, the spool takes
    /// what comes meanwhile: only those in the commit itself wait for its deadline.
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
                    self.overflow.take(batch).await;
                }
            }
        }
    }

    /// Answers those who waited for a batch.
    async fn release(&self, committed: Committed<Ticket>) {
        answer(committed.recorded, Ok(Kept::Recorded));
        answer(committed.refused, Err(NotKept::RefusedByStore));
        if let Some((error, batch)) = committed.failed {
            self.overflow.circuit.open(&error);
            self.overflow.take(batch).await;
        }
    }
}

fn answer(waiting: impl IntoIterator<Item = Ticket>, answer: Result<Kept, NotKept>) {
    for ticket in waiting {
        // Whoever waited may be gone; what was done for it stays done.
        let _ = ticket.send(answer);
    }
}
