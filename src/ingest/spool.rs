//! The spool: raw requests on disk while the store cannot take them.

use std::time::Duration;

use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
    time::timeout,
};

use super::{
    accept::{Kept, NotKept, Ticket},
    circuit::Circuit,
    reader::Arrival,
};
use crate::{
    domain::{AccountName, DeliveryReceipt, Time},
    exotel::RawRequest,
    storage::{SpoolError, SpoolFile, SpooledRequest},
};

/// The way into the spool. Cheap to clone; the writer ends with the last clone.
#[derive(Clone, Debug)]
pub(super) struct Spool {
    queue: mpsc::Sender<(SpooledRequest, Ticket)>,
    pub file: SpoolFile,
}

/// The most requests of one sync to disk.
const BATCH: usize = 512;

impl Spool {
    /// Starts the writer of `file`. A sync to disk that takes longer than `deadline` has failed.
    pub fn start(file: SpoolFile, circuit: Circuit, deadline: Duration) -> (Self, JoinHandle<()>) {
        let (sender, queue) = mpsc::channel(BATCH);
        let writer = SpoolWriter { file: file.clone(), queue, circuit, deadline };
        (Self { queue: sender, file }, tokio::spawn(writer.run()))
    }

    /// Gives a request to the spool, for whoever waits for it. Waits only while the spool is behind.
    pub async fn take(&self, request: SpooledRequest, ticket: Ticket) {
        if let Err(mpsc::error::SendError((_, ticket))) = self.queue.send((request, ticket)).await {
            // Whoever waited may be gone.
            let _ = ticket.send(Err(NotKept::Unavailable));
        }
    }

    /// Keeps a request. `Ok` means that it is on disk.
    pub async fn keep(&self, request: SpooledRequest) -> Result<(), NotKept> {
        let (ticket, answer) = oneshot::channel();
        self.take(request, ticket).await;
        answer.await.unwrap_or(Err(NotKept::Unavailable)).map(|_| ())
    }
}

struct SpoolWriter {
    file: SpoolFile,
    queue: mpsc::Receiver<(SpooledRequest, Ticket)>,
    circuit: Circuit,
    deadline: Duration,
}

impl SpoolWriter {
    /// Appends whatever has gathered during the sync before, and then answers.
    async fn run(mut self) {
        let mut gathered = Vec::with_capacity(BATCH);
        while self.queue.recv_many(&mut gathered, BATCH).await > 0 {
            let (requests, tickets): (Vec<_>, Vec<_>) = gathered.drain(..).unzip();
            let appended = timeout(self.deadline, self.file.append(&requests)).await;
            let appended = appended.unwrap_or(Err(SpoolError::TimedOut(self.deadline)));
            match &appended {
                Ok(()) => self.circuit.call_drain(),
                Err(SpoolError::Full) => {
                    tracing::error!("the spool is full: callbacks are answered with 503")
                }
                Err(error) => tracing::error!(%error, "callbacks are answered with 503"),
            }
            for ticket in tickets {
                let answer = if appended.is_ok() { Ok(Kept::Spooled) } else { Err(NotKept::Unavailable) };
                // Whoever waited may be gone; the callback is kept all the same.
                let _ = ticket.send(answer);
            }
            if matches!(appended, Err(SpoolError::TimedOut(_))) {
                self.turn_away();
            }
        }
        self.file.close().await;
    }

    /// Answers those who have gathered behind a disk that hangs: they would wait as long again, and be gone by then.
    fn turn_away(&mut self) {
        while let Ok((_, ticket)) = self.queue.try_recv() {
            // Whoever waited may be gone.
            let _ = ticket.send(Err(NotKept::Unavailable));
        }
    }
}

/// What the spool keeps of how a request came.
#[derive(Clone, Copy)]
pub(super) struct SpooledArrival<'a> {
    pub account: &'a AccountName,
    pub received_at: Time,
    pub signed_for: Option<&'a str>,
}

impl<'a> SpooledArrival<'a> {
    pub fn of(receipt: &'a DeliveryReceipt) -> Self {
        let DeliveryReceipt { account, received_at, signed_for, .. } = receipt;
        Self { account, received_at: *received_at, signed_for: signed_for.as_deref() }
    }
}

impl<'a> From<Arrival<'a>> for SpooledArrival<'a> {
    fn from(Arrival { account, received_at, signed_for }: Arrival<'a>) -> Self {
        Self { account: &account.name, received_at, signed_for }
    }
}

/// A request as the spool keeps it, without the token or the signature of its URL.
pub(super) fn spooled(raw: RawRequest, arrival: SpooledArrival<'_>) -> SpooledRequest {
    let query = raw.query_without_secrets().into_owned();
    let (method, content_type, content_encoding, body) = match raw {
        RawRequest::Post { content_type, content_encoding, body, .. } => {
            ("POST", content_type, content_encoding, body.to_vec())
        }
        RawRequest::Get { .. } => ("GET", None, None, Vec::new()),
    };
    let SpooledArrival { account, received_at, signed_for } = arrival;
    let (account, method) = (account.as_str().to_owned(), method.to_owned());
    let signed_for = signed_for.map(str::to_owned);
    SpooledRequest {
        id: 0,
        received_at,
        account,
        method,
        content_type,
        content_encoding,
        query,
        body,
        signed_for,
    }
}

/// The request that was spooled.
pub(super) fn unspooled(spooled: &SpooledRequest) -> RawRequest {
    let SpooledRequest { content_type, content_encoding, query, body, .. } = spooled.clone();
    match spooled.method.as_str() {
        "GET" => RawRequest::Get { query },
        _ => RawRequest::Post { content_type, content_encoding, query, body: body.into() },
    }
}
