//! Counts what the receiver has answered.
//!
//! May import nothing else of this crate.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use hyper::StatusCode;
use serde_json::Value;

use super::{
    client::{NoReply, Reply},
    delivered::Delivered,
    schedule::Item,
};

/// The answers to a run.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// How often each callback was acknowledged.
    acknowledged: HashMap<CallbackId, u32>,
    /// Callbacks and garbage that were sent, without retries.
    pub sent: usize,
    /// The numbers of the messages that were sent.
    pub messages: BTreeSet<u32>,
    /// How many of them were garbage.
    pub garbage: usize,
    /// Callbacks acknowledged as recorded.
    pub recorded: usize,
    /// Callbacks acknowledged as spooled.
    pub spooled: usize,
    /// Garbage that was refused.
    pub refused: usize,
    /// Further attempts.
    pub retried: usize,
    /// Callbacks that were not acknowledged by the last attempt.
    pub given_up: usize,
    /// Garbage that was answered with 200.
    pub garbage_taken: usize,
    /// Garbage that was answered with 5xx except 503, which may be overload.
    pub garbage_broke: usize,
    /// How many attempts failed for each reason.
    pub failures: BTreeMap<String, usize>,
    /// The last answer to a callback that was given up.
    pub last_failure: Option<String>,
}

/// Identifies a callback within a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct CallbackId {
    /// The number of its message.
    message: u32,
    /// Its place among the message's callbacks.
    place: usize,
}

impl Ledger {
    /// Counts the result of a callback.
    pub fn note(&mut self, delivered: &Delivered) {
        self.sent += 1;
        self.retried += delivered.earlier.len();
        for failed in &delivered.earlier {
            *self.failures.entry(reason(failed)).or_default() += 1;
        }
        match delivered.item {
            Item::Callback { message, place } => {
                self.messages.insert(message);
                self.note_callback(CallbackId { message, place }, &delivered.last);
            }
            Item::Garbage { .. } => self.note_garbage(&delivered.last),
        }
    }

    fn note_callback(&mut self, callback: CallbackId, last: &Result<Reply, NoReply>) {
        match last {
            Ok(answer) if answer.status == StatusCode::OK => {
                *self.acknowledged.entry(callback).or_default() += 1;
                let spooled = json(answer)["status"] == "spooled";
                *(if spooled { &mut self.spooled } else { &mut self.recorded }) += 1;
            }
            failed => {
                self.last_failure = Some(in_full(failed));
                self.give_up(failed);
            }
        }
    }

    fn note_garbage(&mut self, last: &Result<Reply, NoReply>) {
        self.garbage += 1;
        match last.as_ref().map(|answer| answer.status) {
            Ok(StatusCode::OK) => self.garbage_taken += 1,
            Ok(status) if status.is_client_error() => self.refused += 1,
            Ok(status) if status.is_server_error() && status != StatusCode::SERVICE_UNAVAILABLE => {
                self.garbage_broke += 1;
                self.give_up(last);
            }
            _ => self.give_up(last),
        }
    }

    fn give_up(&mut self, failed: &Result<Reply, NoReply>) {
        self.given_up += 1;
        *self.failures.entry(reason(failed)).or_default() += 1;
    }

    /// How often a callback was acknowledged.
    pub fn acknowledged(&self, message: u32, place: usize) -> u32 {
        self.acknowledged.get(&CallbackId { message, place }).copied().unwrap_or_default()
    }
}

fn reason(failed: &Result<Reply, NoReply>) -> String {
    match failed {
        Ok(answer) => format!("answered {}", answer.status),
        Err(error) => error.to_string(),
    }
}

/// With what a problem says about itself.
fn in_full(failed: &Result<Reply, NoReply>) -> String {
    let said = failed.as_ref().ok().map(json);
    let detail = said.as_ref().and_then(|problem| problem["detail"].as_str().or(problem["title"].as_str()));
    match detail {
        Some(detail) => format!("{}: {detail}", reason(failed)),
        None => reason(failed),
    }
}

fn json(answer: &Reply) -> Value {
    serde_json::from_slice(&answer.body).unwrap_or_default()
}
