//! Plays Exotel against a receiver, and checks that it keeps its promises.
//!
//! `traffic` says what Exotel would, `schedule` in which order, `sender` says it over HTTP and repeats
//! it as Exotel does. `verify` then asks for every message, and holds the answers against the merge of
//! what was acknowledged, by the rules of the domain itself. The receiver may be any that speaks the API.
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
    /// Makes the same run again.
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
    /// How long a message that was acknowledged may be on its way.
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

/// The receiver that is tried.
#[derive(Clone, Debug)]
pub struct Receiver {
    /// Where it is.
    pub target: Target,
    /// Opens its questions.
    pub api_key: Option<Secret>,
    /// How it is configured.
    pub rules: Rules,
}

/// Told what is being done, how much of it is done, and out of how much.
pub type Progress<'a> = dyn FnMut(&'static str, usize, usize) + 'a;

/// Why there was no run.
#[derive(Debug, thiserror::Error)]
pub enum SimulatorError {
    /// The system's certificates are needed for https and cannot be had.
    #[error("the system's certificates cannot be read: {0}")]
    Certificates(std::io::Error),
    /// The key cannot be sent.
    #[error("--api-key holds characters that no API key has")]
    Key,
    /// Nobody answers.
    #[error("cannot reach the receiver at {url}: {why}")]
    Unreachable {
        /// Where nobody answers.
        url: String,
        /// What was heard instead.
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

/// Sends what is planned, until it is done or `stop` turns true, and reads it back.
///
/// # Errors
/// [`SimulatorError`] where the receiver cannot be reached, or would not answer questions.
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

/// Fails before anything is sent, rather than after.
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
