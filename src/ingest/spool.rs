//! The spool: raw requests on disk while the store cannot take them.

use std::time::Duration;

use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
    time::timeout,
};

use super::{
    circuit::Circuit,
    kept::{Kept, NotKept, Ticket},
    reader::Arrival,
};
use crate::{
    domain::{AccountName, DeliveryReceipt, Time},
    exotel::RawRequest,
    storage::{Spool, SpoolError, SpooledRequest},
};

/// The way into the spool. Cheap to clone; the writer ends with the last clone.
#[derive(Clone, Debug)]
pub(super) struct SpoolQueue {
    queue: mpsc::Sender<(SpooledRequest, Ticket)>,
    pub spool: Spool,
}

/// The most requests of one sync to disk.
const BATCH: usize = 512;

impl SpoolQueue {
    /// Starts the writer of `spool`. A sync to disk that takes longer than `deadline` has failed.
    pub fn start(spool: Spool, circuit: Circuit, deadline: Duration) -> (Self, JoinHandle<()>) {
        let (sender, queue) = mpsc::channel(BATCH);
        let writer = SpoolWriter { spool: spool.clone(), queue, circuit, deadline };
        (Self { queue: sender, spool }, tokio::spawn(writer.run()))
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
    spool: Spool,
    queue: mpsc::Receiver<(SpooledRequest, Ticket)>,
    circuit: Circuit,
    deadline: Duration,
}

impl SpoolWriter {
    /// Appends whatever has gathered during the sync before, and then answers.
    async fn run(mut self) {
        let (mut gathered, mut complaint) = (Vec::with_capacity(BATCH), String::new());
        while self.queue.recv_many(&mut gathered, BATCH).await > 0 {
            let (requests, tickets): (Vec<_>, Vec<_>) = gathered.drain(..).unzip();
            let appended = timeout(self.deadline, self.spool.append(&requests)).await;
            let appended = appended.unwrap_or(Err(SpoolError::TimedOut(self.deadline)));
            match &appended {
                Ok(()) => {
                    complaint.clear();
                    self.circuit.call_drain();
                }
                Err(error) => complain(error, &mut complaint),
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
        self.spool.close().await;
    }

    /// Answers those who have gathered behind a disk that hangs: they would wait as long again, and be gone by then.
    fn turn_away(&mut self) {
        while let Ok((_, ticket)) = self.queue.try_recv() {
            // Whoever waited may be gone.
            let _ = ticket.send(Err(NotKept::Unavailable));
        }
    }
}

/// Says why callbacks are not kept, once for each reason.
fn complain(error: &SpoolError, complaint: &mut String) {
    let reason = error.to_string();
    if reason == *complaint {
        return;
    }
    *complaint = reason;
    match error {
        SpoolError::Full => tracing::error!("the spool is full: callbacks are answered with 503"),
        error => tracing::error!(%error, "callbacks are answered with 503"),
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
