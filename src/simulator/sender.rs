//! Sends the callbacks of a run at its rate and concurrency, and retries as Exotel does.
//!
//! May import nothing else of this crate.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::body::Body;
use hyper::{Method, Request, StatusCode, header};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    task::JoinSet,
    time::{Interval, interval, sleep},
};

use super::{
    Manner, Progress,
    client::{Cut, NoReply, ReceiverClient, Reply},
    delivered::Delivered,
    garbage,
    ledger::Ledger,
    request::CallbackRequest,
    schedule::{Item, Schedule},
    target::Target,
    traffic::Traffic,
};

/// Exotel's `User-Agent`.
const USER_AGENT: &str = "Exotel Servers";

/// Sends the callbacks of a run.
pub(super) struct Sender {
    pub client: Arc<ReceiverClient>,
    pub target: Target,
    pub traffic: Arc<Traffic>,
    pub manner: Manner,
    /// Whether the network is down.
    pub outage: AtomicBool,
    /// One permit for each request that may be under way.
    pub lanes: Arc<Semaphore>,
    /// Turns true when nothing more is to be sent.
    pub stop: watch::Receiver<bool>,
}

/// A callback that is due.
struct DueCallback {
    item: Item,
    /// Its place in the schedule.
    position: usize,
    /// Released after the first attempt.
    lane: OwnedSemaphorePermit,
    /// Where the first attempt is aborted, during the outage.
    cut: Option<Cut>,
}

impl Sender {
    /// Sends the whole schedule, or until stopped, and waits for retries.
    pub async fn send_all(self: Arc<Self>, schedule: &Schedule, progress: &mut Progress<'_>) -> Ledger {
        let (mut ledger, mut under_way) = (Ledger::default(), JoinSet::new());
        let mut pace = self.manner.pace();
        let mut note = |delivered: Delivered| {
            ledger.note(&delivered);
            progress("sending", ledger.sent, schedule.items.len());
        };
        for (position, &item) in schedule.items.iter().enumerate() {
            let Some(lane) = self.next_turn(&mut pace).await else { break };
            let outage = schedule.outage.contains(&position);
            self.outage.store(outage, Ordering::Relaxed);
            let cut = outage.then(|| cut(position));
            under_way.spawn(Arc::clone(&self).deliver(DueCallback { item, position, lane, cut }));
            while let Some(ended) = under_way.try_join_next() {
                note(ended.expect("no delivery panics"));
            }
        }
        self.outage.store(false, Ordering::Relaxed);
        while let Some(ended) = under_way.join_next().await {
            note(ended.expect("no delivery panics"));
        }
        ledger
    }

    /// Waits until the next callback is due and may be sent; none once the run is to stop.
    async fn next_turn(&self, pace: &mut Option<Interval>) -> Option<OwnedSemaphorePermit> {
        let due = async {
            if let Some(pace) = pace {
                pace.tick().await;
            }
            Arc::clone(&self.lanes).acquire_owned().await.ok()
        };
        tokio::select! {
            biased;
            () = self.stopped() => None,
            lane = due => lane,
        }
    }

    /// One callback: up to three attempts, as Exotel makes them.
    async fn deliver(self: Arc<Self>, turn: DueCallback) -> Delivered {
        let DueCallback { item, position, lane, cut: cut_off } = turn;
        let mut last = self.attempt(item, cut_off).await;
        drop(lane);
        let mut earlier = Vec::new();
        for (delay, nth) in self.manner.retry_after.into_iter().zip(1..) {
            if settled(item, &last) || !self.waited(delay).await {
                break;
            }
            let Ok(_lane) = self.lanes.acquire().await else { break };
            let cut_off = self.outage.load(Ordering::Relaxed).then(|| cut(position + nth));
            earlier.push(std::mem::replace(&mut last, self.attempt(item, cut_off).await));
        }
        Delivered { item, earlier, last }
    }

    async fn attempt(&self, item: Item, cut_off: Option<Cut>) -> Result<Reply, NoReply> {
        let request = self.request(item);
        match cut_off {
            None => self.client.send(request).await,
            Some(cut) => Err(self.client.send_cut_off(request, cut).await),
        }
    }

    fn request(&self, item: Item) -> Request<Body> {
        let query = &self.target.query;
        let CallbackRequest { query, body } = match item {
            Item::Garbage { number } => garbage::request(number, query),
            Item::Callback { message, place } => {
                let message = self.traffic.message(message);
                CallbackRequest::of(&message, &message.callbacks[place], query)
            }
        };
        let (method, body) = match body {
            None => (Method::GET, None),
            Some(body) => (Method::POST, Some(body)),
        };
        let mut request = Request::builder().method(method).uri(self.target.callback(&query));
        request = request.header(header::USER_AGENT, USER_AGENT);
        if let Some(authorization) = &self.target.authorization {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        let request = match body {
            None => request.body(Body::empty()),
            Some((content_type, bytes)) => {
                request.header(header::CONTENT_TYPE, content_type).body(Body::from(bytes))
            }
        };
        request.expect("URL and headers are checked")
    }

    /// Waits; returns whether the whole delay passed without a stop.
    async fn waited(&self, delay: Duration) -> bool {
        tokio::select! {
            () = self.stopped() => false,
            () = sleep(delay) => true,
        }
    }

    async fn stopped(&self) {
        // An error means that the stop signal's sender is gone, so no stop can come.
        if self.stop.clone().wait_for(|stop| *stop).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

impl Manner {
    /// The ticks at which callbacks are due; none without a rate. Ticks that were missed while all connections were
    /// busy follow in a burst: Exotel does not send less to a slow receiver.
    fn pace(&self) -> Option<Interval> {
        (self.rate > 0).then(|| interval(Duration::from_secs(1) / self.rate))
    }
}

/// Where the outage aborts this request: half of them within the body, the others before the answer is read.
fn cut(position: usize) -> Cut {
    const MOMENTS: [u64; 7] = [1, 100, 3, 100, 10, 100, 30];
    match position % 2 {
        0 => Cut::Midway,
        _ => Cut::BeforeTheAnswer(Duration::from_millis(MOMENTS[position / 2 % MOMENTS.len()])),
    }
}

/// Whether no retry is due: a 200, or for garbage a 4xx as well.
fn settled(item: Item, last: &Result<Reply, NoReply>) -> bool {
    let garbage = matches!(item, Item::Garbage { .. });
    let settles = |status: StatusCode| status == StatusCode::OK || (garbage && status.is_client_error());
    last.as_ref().is_ok_and(|answer| settles(answer.status))
}
