//! Exotel under load: senders that report message after message, and take down every answer.

use std::{
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
pub const ON_THE_WAY: [&str; 2] = ["21010", "21020"];
pub const FINAL: [&str; 2] = ["20005", "23050"];

/// One callback, and what came of it.
#[derive(Clone, Debug)]
pub struct Sent {
    pub sid: String,
    pub code: &'static str,
    pub at: Time,
    pub answered: Time,
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
    common: Common,
    senders: Vec<JoinHandle<Vec<Sent>>>,
}

/// How much load.
#[derive(Clone, Copy)]
pub struct Pace {
    /// How many callbacks are under way at a time.
    pub senders: usize,
    /// How long each sender rests between two.
    pub rest: Duration,
    /// How long a sender waits for an answer before it hangs up; the first waits a millisecond only, and
    /// the others more and more.
    pub patience: Duration,
}

impl Pace {
    /// As fast as they are answered.
    pub const FULL: Self = Self { senders: 32, rest: Duration::ZERO, patience: DEADLINE };
    /// What the machine can bear at leisure, so that latencies say something of the service.
    pub const STEADY: Self = Self { senders: 16, rest: Duration::from_millis(40), patience: DEADLINE };
}

/// What the senders share.
#[derive(Clone, Default)]
struct Common {
    stopped: Arc<AtomicBool>,
    acknowledged: Arc<AtomicUsize>,
    refused: Arc<AtomicUsize>,
}

impl Load {
    /// Starts it.
    pub fn start(url: &str, pace: Pace) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let (common, load) = (Common::default(), COUNT.fetch_add(1, Ordering::Relaxed));
        let senders = (0..pace.senders).map(|number| {
            let patience = if pace.patience == DEADLINE {
                DEADLINE
            } else {
                pace.patience * u32::try_from(number).unwrap() + Duration::from_millis(1)
            };
            let sender = Sender {
                name: format!("load{load}-{number}"),
                url: url.to_owned(),
                rest: pace.rest,
                http: reqwest::Client::builder().timeout(patience).build().unwrap(),
                common: common.clone(),
            };
            tokio::spawn(sender.run())
        });
        Self { senders: senders.collect(), common }
    }

    /// Waits until so many more callbacks are acknowledged.
    pub async fn acknowledges(&self, more: usize) {
        grows(&self.common.acknowledged, more).await;
    }

    /// Waits until so many more callbacks are refused, or not answered.
    pub async fn is_refused(&self, more: usize) {
        grows(&self.common.refused, more).await;
    }

    /// Lets every sender wait for the answer it is owed, and no more.
    pub async fn stop(self) -> Traffic {
        self.common.stopped.store(true, Ordering::Relaxed);
        let mut sent = Vec::new();
        for sender in self.senders {
            sent.extend(sender.await.unwrap());
        }
        Traffic::new(sent)
    }
}

async fn grows(count: &AtomicUsize, more: usize) {
    let (end, goal) = (Instant::now() + DEADLINE, count.load(Ordering::Relaxed) + more);
    while count.load(Ordering::Relaxed) < goal {
        assert!(Instant::now() < end, "too little happens under load");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

struct Sender {
    name: String,
    url: String,
    rest: Duration,
    http: reqwest::Client,
    common: Common,
}

impl Sender {
    /// Reports one message after the other, each in another order.
    async fn run(self) -> Vec<Sent> {
        let mut sent = Vec::new();
        for number in 0_usize.. {
            let mut codes = [ON_THE_WAY[0], ON_THE_WAY[1], FINAL[number % FINAL.len()]];
            codes.rotate_left(number % 3);
            for code in codes {
                if self.common.stopped.load(Ordering::Relaxed) {
                    return sent;
                }
                let outcome = send(&self.http, &self.url, (format!("{}-{number}", self.name), code)).await;
                let taken = outcome.is_acknowledged();
                let count = if taken { &self.common.acknowledged } else { &self.common.refused };
                count.fetch_add(1, Ordering::Relaxed);
                // Nobody who is refused tries again at once.
                let pause = if taken { Duration::ZERO } else { Duration::from_millis(5) };
                sent.push(outcome);
                tokio::time::sleep(self.rest + pause).await;
            }
        }
        sent
    }
}

/// Sends one callback, of a message and with a code.
pub async fn send(http: &reqwest::Client, url: &str, (sid, code): (String, &'static str)) -> Sent {
    let fields = [("SmsSid", sid.as_str()), ("DetailedStatusCode", code)];
    let url = format!("{url}/callbacks/exotel/default");
    let request = http.post(url).query(&[("about", &sid)]).form(&fields);
    let (at, began) = (Utc::now().trunc_subsecs(6), Instant::now());
    let answer = match request.send().await {
        Ok(response) => {
            let status = response.status().as_u16();
            let body: Option<Value> = response.json().await.ok();
            body.map(|body| (status, body["status"].as_str().unwrap_or_default().to_owned()))
        }
        Err(_) => None,
    };
    let (answered, latency) = (Utc::now(), began.elapsed());
    Sent { sid, code, at, answered, began, latency, answer }
}

/// What has become of a message of which the last word is `code`.
pub fn outcome(code: &str) -> &'static str {
    match code {
        "20005" => "delivered",
        "23050" => "failed",
        _ => "pending",
    }
}
