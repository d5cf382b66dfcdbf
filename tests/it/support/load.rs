//! Exotel under load: senders that report message after message, and take down every answer.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use chrono::{SubsecRound, Utc};
use dlr_receiver::domain::Time;
use serde_json::Value;
use tokio::task::JoinHandle;

use super::{DEADLINE, Traffic};

/// What Exotel says of a message in the course of time; then comes its final code.
const ON_THE_WAY: [&str; 2] = ["21010", "21020"];
const FINAL: [&str; 2] = ["20005", "23050"];

/// One callback, and what came of it.
#[derive(Clone, Debug)]
pub struct Sent {
    pub sid: String,
    pub code: &'static str,
    pub sent_at: Time,
    pub answered_at: Time,
    pub began: Instant,
    pub latency: Duration,
    /// The status, and what the body says was done; none where no answer came.
    pub answer: Option<(u16, String)>,
}

impl Sent {
    pub fn is_acknowledged(&self) -> bool {
        self.answer.as_ref().is_some_and(|(status, _)| *status == 200)
    }
}

/// Senders at work.
pub struct Load {
    stopped: Arc<AtomicBool>,
    acknowledged: Arc<AtomicUsize>,
    senders: Vec<JoinHandle<Vec<Sent>>>,
}

/// How much load: how many callbacks are under way at a time, and how long each sender rests between two.
#[derive(Clone, Copy)]
pub struct Pace {
    pub senders: usize,
    pub rest: Duration,
}

impl Pace {
    /// As fast as they are answered.
    pub const FULL: Self = Self { senders: 32, rest: Duration::ZERO };
    /// What the machine can bear at leisure, so that latencies say something of the service.
    pub const STEADY: Self = Self { senders: 16, rest: Duration::from_millis(40) };
}

impl Load {
    /// Starts it against one service.
    pub fn start(url: &str, pace: Pace) -> Self {
        Self::among(&[url], pace)
    }

    /// Starts it against replicas, which take turns.
    pub fn among(urls: &[&str], pace: Pace) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let (stopped, acknowledged) = <(Arc<AtomicBool>, Arc<AtomicUsize>)>::default();
        let load = COUNT.fetch_add(1, Ordering::Relaxed);
        let senders = (0..pace.senders).map(|number| {
            let sender = Sender {
                name: format!("load{load}-{number}"),
                urls: urls.iter().map(|url| (*url).to_owned()).collect(),
                rest: pace.rest,
                http: reqwest::Client::builder().timeout(DEADLINE).build().unwrap(),
                stopped: Arc::clone(&stopped),
                acknowledged: Arc::clone(&acknowledged),
            };
            tokio::spawn(sender.run())
        });
        let senders = senders.collect();
        Self { stopped, acknowledged, senders }
    }

    /// Waits until so many more callbacks are acknowledged.
    pub async fn acknowledges(&self, more: usize) {
        let (end, goal) = (Instant::now() + DEADLINE, self.acknowledged.load(Ordering::Relaxed) + more);
        while self.acknowledged.load(Ordering::Relaxed) < goal {
            assert!(Instant::now() < end, "too little is acknowledged");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Lets every sender wait for the answer it is owed, and no more.
    pub async fn stop(self) -> Traffic {
        self.stopped.store(true, Ordering::Relaxed);
        let mut sent = Vec::new();
        for sender in self.senders {
            sent.extend(sender.await.unwrap());
        }
        Traffic::new(sent)
    }
}

struct Sender {
    name: String,
    urls: Vec<String>,
    rest: Duration,
    http: reqwest::Client,
    stopped: Arc<AtomicBool>,
    acknowledged: Arc<AtomicUsize>,
}

impl Sender {
    /// Reports one message after the other, each in another order.
    async fn run(self) -> Vec<Sent> {
        let mut sent = Vec::new();
        for number in 0_usize.. {
            let mut codes = [ON_THE_WAY[0], ON_THE_WAY[1], FINAL[number % FINAL.len()]];
            codes.rotate_left(number % 3);
            for code in codes {
                if self.stopped.load(Ordering::Relaxed) {
                    return sent;
                }
                let url = &self.urls[sent.len() % self.urls.len()];
                let outcome = self.send(url, format!("{}-{number}", self.name), code).await;
                self.acknowledged.fetch_add(usize::from(outcome.is_acknowledged()), Ordering::Relaxed);
                // Nobody who is refused tries again at once.
                let refused =
                    if outcome.is_acknowledged() { Duration::ZERO } else { Duration::from_millis(5) };
                sent.push(outcome);
                tokio::time::sleep(self.rest + refused).await;
            }
        }
        sent
    }

    async fn send(&self, url: &str, sid: String, code: &'static str) -> Sent {
        let fields = BTreeMap::from([("SmsSid", sid.as_str()), ("DetailedStatusCode", code)]);
        let url = format!("{url}/callbacks/exotel/default");
        let request = self.http.post(url).query(&[("about", &sid)]).form(&fields);
        let (sent_at, began) = (Utc::now().trunc_subsecs(6), Instant::now());
        let answer = match request.send().await {
            Ok(response) => {
                let status = response.status().as_u16();
                let body: Option<Value> = response.json().await.ok();
                body.map(|body| (status, body["status"].as_str().unwrap_or_default().to_owned()))
            }
            Err(_) => None,
        };
        let (answered_at, latency) = (Utc::now(), began.elapsed());
        Sent { sid, code, sent_at, answered_at, began, latency, answer }
    }
}

/// What has become of a message of which the last word is `code`.
pub fn outcome(code: &str) -> &'static str {
    match code {
        "20005" => "delivered",
        "23050" => "failed",
        _ => "pending",
    }
}
