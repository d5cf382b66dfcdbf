//! The writer of the spool: raw requests go to disk while the store cannot take them.

use std::time::Duration;

use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
    time::timeout,
};

use super::{
    circuit::Circuit,
    kept::{Kept, NotKept, Ticket, answer},
};
use crate::storage::{Spool, SpoolError, SpooledRequest};

/// The queue into the spool. Cheap to clone. The writer ends after its last clone is dropped.
#[derive(Clone, Debug)]
pub(super) struct SpoolQueue {
    queue: mpsc::Sender<Unspooled>,
}

/// A request on its way into the spool, and who waits for it.
#[derive(Debug)]
pub(super) struct Unspooled {
    pub request: SpooledRequest,
    pub ticket: Ticket,
}

/// The most requests of one sync to disk.
const BATCH: usize = 512;

impl SpoolQueue {
    /// Starts the writer of `spool`. A sync to disk that takes longer than `deadline` has failed.
    pub fn start(spool: Spool, circuit: Circuit, deadline: Duration) -> (Self, JoinHandle<()>) {
        let (sender, queue) = mpsc::channel(BATCH);
        let writer = SpoolWriter { spool, queue, circuit, deadline };
        (Self { queue: sender }, tokio::spawn(writer.run()))
    }

    /// A queue whose other end a test holds.
    #[cfg(test)]
    pub fn into_channel(queue: mpsc::Sender<Unspooled>) -> Self {
        Self { queue }
    }

    /// Queues a request; the writer answers the ticket. Waits only while the queue is full.
    pub async fn push(&self, request: SpooledRequest, ticket: Ticket) {
        if let Err(mpsc::error::SendError(refused)) = self.queue.send(Unspooled { request, ticket }).await {
            answer([refused.ticket], Err(NotKept::Unavailable));
        }
    }

    /// Keeps a request. `Ok` means that it is on disk.
    pub async fn keep(&self, request: SpooledRequest) -> Result<(), NotKept> {
        let (ticket, answer) = oneshot::channel();
        self.push(request, ticket).await;
        answer.await.unwrap_or(Err(NotKept::Unavailable)).map(|_| ())
    }
}

struct SpoolWriter {
    spool: Spool,
    queue: mpsc::Receiver<Unspooled>,
    circuit: Circuit,
    deadline: Duration,
}

impl SpoolWriter {
    /// Appends what has gathered during the sync before, then answers.
    async fn run(mut self) {
        let (mut gathered, mut last_logged) = (Vec::with_capacity(BATCH), String::new());
        while self.queue.recv_many(&mut gathered, BATCH).await > 0 {
            let (requests, tickets): (Vec<_>, Vec<_>) =
                gathered.drain(..).map(|Unspooled { request, ticket }| (request, ticket)).unzip();
            let appended = timeout(self.deadline, self.spool.append(&requests)).await;
            let appended = appended.unwrap_or(Err(SpoolError::TimedOut(self.deadline)));
            match &appended {
                Ok(()) => {
                    last_logged.clear();
                    self.circuit.wake_drain();
                }
                Err(error) => log_once(error, &mut last_logged),
            }
            let is_kept = appended.is_ok();
            answer(tickets, if is_kept { Ok(Kept::Spooled) } else { Err(NotKept::Unavailable) });
            if matches!(appended, Err(SpoolError::TimedOut(_))) {
                self.turn_away();
            }
        }
        self.spool.close().await;
    }

    /// Answers those who have gathered behind a disk that hangs: they would wait as long again, and Exotel would
    /// have hung up by then.
    fn turn_away(&mut self) {
        while let Ok(Unspooled { ticket, .. }) = self.queue.try_recv() {
            answer([ticket], Err(NotKept::Unavailable));
        }
    }
}

/// Logs why callbacks are not kept, once for each reason.
fn log_once(error: &SpoolError, last_logged: &mut String) {
    let reason = error.to_string();
    if reason == *last_logged {
        return;
    }
    *last_logged = reason;
    match error {
        SpoolError::Full => tracing::error!("the spool is full: callbacks are answered with 503"),
        error => tracing::error!(%error, "the spool cannot be written: callbacks are answered with 503"),
    }
}
