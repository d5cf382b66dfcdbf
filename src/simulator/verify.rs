//! Reads the messages back after a run.
//!
//! May import nothing else of this crate.

use std::{sync::Arc, time::Duration};

use axum::body::Body;
use futures_util::{StreamExt, stream};
use hyper::{Request, StatusCode, header, header::HeaderValue};
use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::{
    Progress,
    client::{NoReply, ReceiverClient, Reply},
    expectation::{Difference, Rules, differences},
    ledger::Ledger,
    request::CallbackRequest,
    target::Target,
    traffic::Traffic,
};

/// The first and the longest delay between two reads.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));

/// Reads messages from the receiver and checks them.
pub(super) struct Verifier {
    pub client: Arc<ReceiverClient>,
    pub target: Target,
    /// The `Authorization` header with the API key.
    pub authorization: Option<HeaderValue>,
    pub traffic: Arc<Traffic>,
    pub rules: Rules,
    pub connections: usize,
    /// How long an acknowledged message may take to become readable.
    pub wait: Duration,
}

/// The result of checking a message.
#[derive(Clone, Debug, PartialEq)]
pub enum Finding {
    /// As expected.
    Right,
    /// The receiver does not know the message; the text is its answer.
    Missing(String),
    /// The message differs.
    Wrong(Vec<Difference>),
}

/// A message's Sid, whether any callback of it was acknowledged, and what was found.
#[derive(Clone, Debug)]
pub struct VerifiedMessage {
    /// The Sid.
    pub sid: String,
    /// Whether any of its callbacks was acknowledged, so that the receiver must know it.
    pub acknowledged: bool,
    /// The result.
    pub finding: Finding,
}

impl Verifier {
    /// Reads every message that was sent, again and again until it is as expected or the time is up.
    pub async fn read_back(&self, ledger: &Ledger, progress: &mut Progress<'_>) -> Vec<VerifiedMessage> {
        let (deadline, mut pause) = (Instant::now() + self.wait, PAUSES.0);
        let mut open: Vec<u32> = ledger.messages.iter().copied().collect();
        let mut right = Vec::new();
        loop {
            let asked = stream::iter(std::mem::take(&mut open)).map(|number| self.find(number, ledger));
            let mut asked = asked.buffer_unordered(self.connections);
            let mut unsettled = Vec::new();
            while let Some((number, found)) = asked.next().await {
                if found.finding == Finding::Right {
                    right.push(found);
                } else {
                    unsettled.push((number, found));
                }
                progress("reading back", right.len(), ledger.messages.len());
            }
            if unsettled.is_empty() || Instant::now() >= deadline {
                right.extend(unsettled.into_iter().map(|(_, found)| found));
                return right;
            }
            open = unsettled.into_iter().map(|(number, _)| number).collect();
            sleep(pause.min(deadline - Instant::now())).await;
            pause = (pause * 2).min(PAUSES.1);
        }
    }

    /// Reads the message with this Sid.
    pub async fn ask(&self, sid: &str) -> Result<Reply, NoReply> {
        let mut question = Request::get(self.target.message(sid));
        if let Some(authorization) = &self.authorization {
            question = question.header(header::AUTHORIZATION, authorization);
        }
        self.client.send(question.body(Body::empty()).expect("its parts are checked")).await
    }

    async fn find(&self, number: u32, ledger: &Ledger) -> (u32, VerifiedMessage) {
        let message = self.traffic.message(number);
        let (mut sure, mut unsure, mut times) = (Vec::new(), Vec::new(), 0);
        for (place, fields) in message.callbacks.iter().enumerate() {
            let request = CallbackRequest::of(&message, fields, &self.target.query);
            let acknowledged = ledger.acknowledged(number, place);
            times += acknowledged;
            (if acknowledged > 0 { &mut sure } else { &mut unsure }).push(self.rules.receipt(&request));
        }
        let acceptable = self.rules.acceptable(&sure, &unsure);
        let finding = compare(&self.ask(&message.sid).await, &acceptable, times);
        (number, VerifiedMessage { sid: message.sid, acknowledged: times > 0, finding })
    }
}

/// Compares an answer with the acceptable ones of a message that was acknowledged so many times.
fn compare(answer: &Result<Reply, NoReply>, acceptable: &[Value], acknowledged: u32) -> Finding {
    let stored: Value = match answer {
        Ok(answer) if answer.status == StatusCode::OK => {
            serde_json::from_slice(&answer.body).unwrap_or_default()
        }
        _ if acknowledged == 0 => return Finding::Right,
        Ok(answer) => return Finding::Missing(format!("asked for it, it answered {}", answer.status)),
        Err(error) => return Finding::Missing(format!("asked for it: {error}")),
    };
    let mut differences = differences(acceptable, &stored);
    if stored["callbacks"].as_u64().is_none_or(|callbacks| callbacks < u64::from(acknowledged)) {
        differences.push(Difference::too_few_callbacks(acknowledged, &stored));
    }
    if differences.is_empty() { Finding::Right } else { Finding::Wrong(differences) }
}
