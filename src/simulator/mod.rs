//! Simulates Exotel against a receiver, and checks that no acknowledged callback is lost or wrong.
//!
//! `traffic` generates callbacks, `schedule` orders them, and `sender` sends them and retries as Exotel does.
//! `verify` then reads every message back and compares it with the merge of the acknowledged callbacks, by the rules
//! of `domain`. Any receiver that has this API can be tested.
//!
//! May import `access`, `answers`, `client`, `domain` and `exotel`.

mod client;
mod delivered;
mod expectation;
mod garbage;
mod ledger;
mod report;
mod request;
mod schedule;
mod sender;
mod shape;
mod shares;
mod spelling;
mod target;
mod traffic;
mod verify;

use std::{
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use hyper::StatusCode;
use tokio::sync::{Semaphore, watch};

pub use expectation::{Difference, Rules};
pub use report::Report;
pub use target::{BadTarget, Target};

use self::{
    client::{NoReply, ReceiverClient},
    ledger::Ledger,
    schedule::Schedule,
    sender::Sender,
    traffic::Traffic,
    verify::Verifier,
};
use crate::access::Secret;

/// What is sent.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// The seed of the random numbers; the same seed repeats a run.
    pub seed: u64,
    /// How many messages.
    pub messages: u32,
    /// The share of callbacks that come twice, 0 to 1.
    pub duplicates: f64,
    /// The share of further requests that are no callbacks, 0 to 1.
    pub garbage: f64,
    /// Whether all callbacks come in random order.
    pub shuffle: bool,
    /// Whether the network fails for the middle tenth.
    pub outage: bool,
}

/// How it is sent.
#[derive(Clone, Copy, Debug)]
pub struct Manner {
    /// Callbacks a second; 0 is as fast as they are answered.
    pub rate: u32,
    /// Requests that may be under way at once.
    pub connections: usize,
    /// When a callback that was not acknowledged comes for the second and the third time.
    pub retry_after: [Duration; 2],
    /// How long an acknowledged message may take to become readable.
    pub wait: Duration,
}

/// What is sent, and how.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    /// What is sent.
    pub plan: Plan,
    /// How it is sent.
    pub manner: Manner,
}

/// The receiver under test.
#[derive(Clone, Debug)]
pub struct Receiver {
    /// Its URLs.
    pub target: Target,
    /// The API key that reads messages.
    pub api_key: Option<Secret>,
    /// How it is configured.
    pub rules: Rules,
}

/// Called with the current step, how many items of it are done, and their number.
pub type Progress<'a> = dyn FnMut(&'static str, usize, usize) + 'a;

/// Why there was no run.
#[derive(Debug, thiserror::Error)]
pub enum SimulatorError {
    /// The system's certificates, which https needs, cannot be read.
    #[error("the system's certificates cannot be read: {0}")]
    Certificates(std::io::Error),
    /// The API key cannot be a header's value.
    #[error("--api-key holds characters that no API key has")]
    Key,
    /// There is no answer.
    #[error("cannot reach the receiver at {url}: {why}")]
    Unreachable {
        /// The URL without an answer.
        url: String,
        /// The error.
        why: String,
    },
    /// Messages cannot be read back.
    #[error(
        "{url} does not let us ask for messages ({status}): give a key of the scope `read` with --api-key"
    )]
    Forbidden {
        /// Where it was asked.
        url: String,
        /// The answer.
        status: u16,
    },
}

/// Sends the planned traffic until it is done or `stop` turns true, then reads the messages back.
///
/// # Errors
/// [`SimulatorError`] when the receiver cannot be reached, or refuses to answer questions.
pub async fn run(
    receiver: Receiver,
    Run { plan, manner }: Run,
    stop: watch::Receiver<bool>,
    progress: &mut Progress<'_>,
) -> Result<Report, SimulatorError> {
    let Receiver { target, api_key, rules } = receiver;
    let client = ReceiverClient::new(manner.connections, target.wants_tls());
    let client = Arc::new(client.map_err(SimulatorError::Certificates)?);
    let traffic = Arc::new(Traffic::new(plan.seed));
    let authorization = api_key.map(|key| format!("Bearer {}", key.reveal()).try_into());
    let verifier = Verifier {
        client: Arc::clone(&client),
        target: target.clone(),
        authorization: authorization.transpose().map_err(|_| SimulatorError::Key)?,
        traffic: Arc::clone(&traffic),
        rules,
        connections: manner.connections,
        wait: manner.wait,
    };
    check_access(&verifier).await?;
    let schedule = Schedule::of(&traffic, &plan);
    let lanes = Arc::new(Semaphore::new(manner.connections));
    let outage = AtomicBool::new(false);
    let sender = Arc::new(Sender { client, target, traffic, manner, outage, lanes, stop });
    let ledger: Ledger = sender.send_all(&schedule, progress).await;
    let found = verifier.read_back(&ledger, progress).await;
    Ok(Report::new(ledger, found))
}

/// Checks the receiver before anything is sent, so that a wrong key or URL shows at once.
async fn check_access(verifier: &Verifier) -> Result<(), SimulatorError> {
    let Verifier { client, target, traffic, .. } = verifier;
    let unreachable =
        |url: &str, why: NoReply| SimulatorError::Unreachable { url: url.to_owned(), why: why.to_string() };
    let callbacks = target.callbacks_origin();
    client.probe(&callbacks).await.map_err(|why| unreachable(&callbacks, why))?;
    let question = verifier.ask(&traffic.message(0).sid).await;
    let answer = question.map_err(|why| unreachable(target.questions(), why))?;
    match answer.status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(SimulatorError::Forbidden {
            url: target.questions().to_owned(),
            status: answer.status.as_u16(),
        }),
        _ => Ok(()),
    }
}
