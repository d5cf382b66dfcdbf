//! A store that fails as a test says, for the unit tests of this layer.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use bytes::Bytes;

use super::{
    commit::{Committer, Uncommitted},
    metrics::IngestMetrics,
    reader::{Arrival, Reader},
    recorder::Recorder,
    rejected::Rejection,
    spooled::spooled,
};
use crate::{
    domain::{Account, AccountName, Batch, Source, StatusTable, Time},
    exotel::RawRequest,
    storage::{Dispute, SpooledRequest, StoreError},
    telemetry::Metrics,
};

/// The longest that a scripted commit may take.
pub(super) const DEADLINE: Duration = Duration::from_secs(2);

/// A store whose answers are scripted. Clones share the script.
#[derive(Clone, Debug, Default)]
pub(super) struct ScriptedStore(Arc<Mutex<Script>>);

/// How the store answers, and what it was asked.
#[derive(Debug, Default)]
pub(super) struct Script {
    /// Messages of which it refuses receipts.
    pub poison: HashSet<String>,
    /// Whether the log of refused bodies refuses what is poison as well.
    pub poisons_log: bool,
    /// Whether it fails whatever it is given.
    pub is_out: bool,
    /// Whether it never answers.
    pub hangs: bool,
    /// After this many more commits it is out.
    pub fails_after: Option<usize>,
    /// The messages of each commit that was tried.
    pub tried: Vec<Vec<String>>,
    /// The messages that are recorded, in order.
    pub recorded: Vec<String>,
    /// The bodies in the log of refused bodies, with the reasons, in order.
    pub rejected: Vec<(String, String)>,
}

impl ScriptedStore {
    pub fn script(&self) -> MutexGuard<'_, Script> {
        self.0.lock().unwrap()
    }

    pub fn committer(&self) -> Committer<Self> {
        let metrics = IngestMetrics::new(&Metrics::default(), &StatusTable::default(), []);
        Committer { recorder: self.clone(), deadline: DEADLINE, metrics }
    }

    async fn answer(&self) -> Result<(), StoreError> {
        if self.script().hangs {
            std::future::pending::<()>().await;
        }
        if self.script().is_out { Err(StoreError::TimedOut(DEADLINE)) } else { Ok(()) }
    }
}

impl Recorder for ScriptedStore {
    async fn record(&mut self, batch: &Batch<'_>) -> Result<Vec<Dispute>, StoreError> {
        let sids: Vec<_> = batch.receipts().iter().map(|receipt| receipt.sid.as_str().to_owned()).collect();
        self.script().tried.push(sids.clone());
        self.answer().await?;
        let mut script = self.script();
        if let Some(left) = &mut script.fails_after {
            match left.checked_sub(1) {
                Some(less) => *left = less,
                None => return Err(StoreError::TimedOut(DEADLINE)),
            }
        }
        if sids.iter().any(|sid| script.poison.contains(sid)) {
            return Err(poison());
        }
        script.recorded.extend(sids);
        Ok(Vec::new())
    }

    async fn reject(&mut self, rejection: Rejection<'_>, reason: &str) -> Result<(), StoreError> {
        self.answer().await?;
        let mut script = self.script();
        if script.poisons_log {
            return Err(poison());
        }
        let RawRequest::Post { body, .. } = rejection.raw else { unreachable!("every request is a POST") };
        script.rejected.push((String::from_utf8_lossy(body).into_owned(), reason.to_owned()));
        Ok(())
    }

    async fn try_writing(&mut self, _: Duration) -> Result<(), StoreError> {
        self.answer().await
    }
}

/// What a store says of a row that it will never take.
fn poison() -> StoreError {
    StoreError::Database(sqlx::Error::Encode("a value that fits no column".into()))
}

pub(super) fn account() -> Account {
    Account::unconfigured(AccountName::new("default").unwrap())
}

pub(super) fn reader() -> Reader {
    let accounts = [(account().name, account())].into();
    Reader { table: Arc::default(), accounts: Arc::new(accounts) }
}

pub(super) fn request(body: &str) -> RawRequest {
    let body = Bytes::copy_from_slice(body.as_bytes());
    RawRequest::Post { content_type: None, content_encoding: None, query: String::new(), body }
}

/// A callback about a message, to be committed.
pub(super) fn uncommitted<T>(sid: &str, ticket: T) -> Uncommitted<T> {
    let raw = request(&format!("SmsSid={sid}&Status=sent"));
    let account = account();
    let arrival = arrival(&account);
    Uncommitted { receipt: reader().read(&raw, arrival).unwrap(), raw, ticket }
}

/// A request as it stands in the spool.
pub(super) fn in_spool(id: i64, body: &str) -> SpooledRequest {
    let account = account();
    SpooledRequest { id, ..spooled(request(body), arrival(&account).into()) }
}

fn arrival(account: &Account) -> Arrival<'_> {
    Arrival { account, source: Source::Callback, received_at: Time::UNIX_EPOCH, signed_for: None }
}
