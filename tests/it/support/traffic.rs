//! What was sent under load, held against what the service says of it later.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use dlr_receiver::domain::Time;
use futures_util::{StreamExt, stream};
use serde_json::{Value, json};

use super::{
    DEADLINE,
    load::{Sent, outcome},
};

/// Everything that was sent, with the answers.
pub struct Traffic {
    sent: Vec<Sent>,
}

/// What a service has lost or got wrong.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Faults {
    pub missing: Vec<String>,
    pub wrong: Vec<String>,
}

/// Half of the callbacks, and 99 of a hundred, took no longer.
#[derive(Clone, Copy, Debug)]
pub struct Latencies {
    pub p50: Duration,
    pub p99: Duration,
}

impl Traffic {
    pub fn new(sent: Vec<Sent>) -> Self {
        Self { sent }
    }

    /// How many callbacks were answered so: `200 recorded`, `200 spooled`, `503`; `none` got no answer.
    pub fn answers(&self) -> BTreeMap<String, usize> {
        let mut answers = BTreeMap::new();
        for sent in &self.sent {
            let answer = match &sent.answer {
                Some((200, kept)) => format!("200 {kept}"),
                Some((status, _)) => status.to_string(),
                None => "none".to_owned(),
            };
            *answers.entry(answer).or_default() += 1;
        }
        answers
    }

    /// Every callback must have been acknowledged.
    pub fn was_all_acknowledged(&self) {
        assert!(self.sent.iter().all(Sent::is_acknowledged), "{:?}", self.answers());
    }

    /// The messages of which every callback was acknowledged.
    pub fn sids(&self) -> BTreeSet<&str> {
        let refused: BTreeSet<&str> =
            self.sent.iter().filter(|sent| !sent.is_acknowledged()).map(|sent| &*sent.sid).collect();
        self.sent.iter().map(|sent| &*sent.sid).filter(|sid| !refused.contains(sid)).collect()
    }

    /// The codes that were sent of a message, in order.
    pub fn codes(&self, sid: &str) -> Vec<&'static str> {
        self.sent.iter().filter(|sent| sent.sid == sid).map(|sent| sent.code).collect()
    }

    /// How many callbacks were acknowledged.
    pub fn acknowledged(&self) -> usize {
        self.sent.iter().filter(|sent| sent.is_acknowledged()).count()
    }

    /// How many of them were spooled.
    pub fn spooled(&self) -> usize {
        self.answers().get("200 spooled").copied().unwrap_or_default()
    }

    /// How long callbacks took that were sent within a time.
    pub fn latencies(&self, (from, to): (Instant, Instant)) -> Latencies {
        let within = self.sent.iter().filter(|sent| (from..to).contains(&sent.began));
        let mut latencies: Vec<_> = within.map(|sent| sent.latency).collect();
        latencies.sort();
        let percentile = |percent| {
            let place = latencies.len().saturating_sub(1) * percent / 100;
            latencies.get(place).copied().unwrap_or_default()
        };
        Latencies { p50: percentile(50), p99: percentile(99) }
    }

    /// How long the slowest but one in a hundred took, of those that were sent within a time.
    pub fn p99(&self, within: (Instant, Instant)) -> Duration {
        self.latencies(within).p99
    }

    /// Asks until every acknowledged callback is stored as it must be, or the time is up.
    pub async fn verify(&self, url: &str) -> Faults {
        let http = reqwest::Client::new();
        let mut messages: BTreeMap<&str, Vec<&Sent>> = BTreeMap::new();
        for sent in &self.sent {
            messages.entry(&sent.sid).or_default().push(sent);
        }
        messages.retain(|_, sent| sent.iter().any(|sent| sent.is_acknowledged()));
        let end = Instant::now() + DEADLINE;
        loop {
            let mut faults = Faults::default();
            let asked = stream::iter(&messages).map(|(sid, sent)| {
                let question = http.get(format!("{url}/messages/{sid}"));
                async move { (*sid, judge(sent, question).await) }
            });
            let mut asked = asked.buffer_unordered(16);
            let mut right = Vec::new();
            while let Some((sid, found)) = asked.next().await {
                match found {
                    Ok(()) => right.push(sid),
                    Err(Fault::Missing(said)) => faults.missing.push(format!("{sid}: {said}")),
                    Err(Fault::Wrong(what)) => faults.wrong.push(format!("{sid}: {what}")),
                }
            }
            drop(asked);
            if faults == Faults::default() || Instant::now() > end {
                return faults;
            }
            messages.retain(|sid, _| !right.contains(sid));
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Every acknowledged callback must be stored as it must be, sooner or later.
    pub async fn is_stored(&self, url: &str) {
        assert_eq!(self.verify(url).await, Faults::default(), "{:?}", self.answers());
    }
}

enum Fault {
    Missing(String),
    Wrong(String),
}

async fn judge(sent: &[&Sent], question: reqwest::RequestBuilder) -> Result<(), Fault> {
    let answer = question.send().await.map_err(|error| Fault::Missing(error.to_string()))?;
    if answer.status() != 200 {
        return Err(Fault::Missing(answer.status().to_string()));
    }
    let told: Value = answer.json().await.map_err(|error| Fault::Missing(error.to_string()))?;
    let fault = |what: &str| Err(Fault::Wrong(format!("{what}: {told}, of {sent:?}")));
    let (sure, unsure): (Vec<&Sent>, Vec<&Sent>) = sent.iter().partition(|sent| sent.is_acknowledged());
    // A callback that was not acknowledged may be stored all the same.
    let last_word = |sent: &[&Sent]| sent.iter().map(|sent| outcome(sent.code)).find(|o| *o != "pending");
    let acceptable = match (last_word(&sure), last_word(&unsure)) {
        (Some(known), _) => vec![known],
        (None, Some(possible)) => vec!["pending", possible],
        (None, None) => vec!["pending"],
    };
    if !acceptable.iter().any(|outcome| told["outcome"] == *outcome) {
        return fault("the outcome is not as it was told");
    }
    if told["callbacks"].as_u64().unwrap() < sure.len() as u64 {
        return fault("a callback is missing");
    }
    if told["labels"] != json!({"about": sent[0].sid}) {
        return fault("the labels are not as they were told");
    }
    let time = |field: &str| told[field].as_str().unwrap().parse::<Time>().unwrap();
    let earliest = sent.iter().map(|sent| sent.at).min().unwrap();
    let (first, last) = (sure.iter().map(|sent| sent.answered).min(), sure.iter().map(|s| s.answered).max());
    if time("first_received_at") < earliest || Some(time("first_received_at")) > first {
        return fault("it was not received first when it was sent first");
    }
    if unsure.is_empty() && Some(time("last_received_at")) > last {
        return fault("it was not received last when it was sent last");
    }
    Ok(())
}
