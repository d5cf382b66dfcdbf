//! Starts the tasks of this layer, and ends them in order.

use std::{collections::HashMap, sync::Arc};

use tokio::{sync::watch, task::JoinHandle};

use super::{
    Ingest, IngestConfig, IngestMetrics,
    circuit::Circuit,
    commit::Committer,
    complaints::Complaints,
    drain::{Drain, Drained, SetAsideFiles},
    group_commit::{GroupCommit, QueueLength},
    overflow::{Overflow, ping},
    preparation::Unprepared,
    reader::Reader,
    recorder::StoreRecorder,
    rejected::RejectedLog,
    replay::Replay,
    spool::SpoolQueue,
};
use crate::{
    domain::{Account, AccountName, StatusTable},
    storage::{Keep, Normaliser, SetAside, Spool, SpoolError, SpoolStatus, Store, Trouble},
};

/// What [`Ingest`] is made of.
#[derive(Debug)]
pub struct IngestParts {
    /// Where receipts and messages are kept.
    pub store: Store,
    /// A database that is not ready yet.
    pub unprepared: Option<Unprepared>,
    /// Where callbacks are kept while the store fails.
    pub spool: Option<Spool>,
    /// The accounts whose callbacks are taken.
    pub accounts: Arc<HashMap<AccountName, Account>>,
    /// The status codes in force.
    pub table: Arc<StatusTable>,
    /// How callbacks are gathered and committed.
    pub config: IngestConfig,
    /// How much of the log of refused bodies is kept.
    pub keep_rejected: Keep,
    /// Where commits are counted.
    pub metrics: IngestMetrics,
}

/// The tasks in the background.
#[derive(Debug)]
pub struct IngestTasks {
    group_commit: JoinHandle<()>,
    drain: JoinHandle<()>,
    stop_drain: watch::Sender<()>,
    spool: Option<JoinHandle<()>>,
}

impl Ingest {
    /// Starts group commit, spool writer and drain.
    #[must_use]
    pub fn start(parts: IngestParts) -> (Self, IngestTasks) {
        let IngestParts { store, unprepared, spool, accounts, table, config, keep_rejected, metrics } = parts;
        let normaliser = Normaliser { table: Arc::clone(&table), accounts: Arc::clone(&accounts) };
        let (circuit, reader) = (Circuit::default(), Reader { table, accounts });
        let mut complaints = Complaints::of(store.kind());
        let preparation = unprepared.map(|Unprepared { preparation, error }| {
            circuit.begin_open(&error);
            complaints.say(&error);
            preparation
        });
        let (spool_queue, spooling) = spool
            .clone()
            .map(|spool| SpoolQueue::start(spool, circuit.clone(), config.commit_timeout()))
            .unzip();
        let rejected = RejectedLog { store: store.clone(), keep: keep_rejected };
        let committer = || {
            let writer = store.writer(config.commit_timeout()).normalising_by(normaliser.clone());
            let recorder = StoreRecorder { writer, rejected: rejected.clone() };
            Committer { recorder, deadline: config.commit_timeout(), metrics: metrics.clone() }
        };
        let overflow =
            Overflow { circuit: circuit.clone(), spool: spool_queue.clone(), ping: ping(store.clone()) };
        let (group_commit, committing) = GroupCommit::start(config, committer(), overflow);
        let (stop_drain, stop) = watch::channel(());
        let drain = Drain {
            unprepared: preparation,
            spool: spool.clone(),
            drained: Drained::default(),
            set_aside: SetAsideFiles::default(),
            lock: None,
            replay: Replay { reader: reader.clone(), committer: committer() },
            circuit: circuit.clone(),
            complaints,
            last_spool_error: String::new(),
        };
        let tasks = IngestTasks {
            group_commit: committing,
            drain: tokio::spawn(drain.run(stop)),
            stop_drain,
            spool: spooling,
        };
        (Self { reader, group_commit, rejected, circuit, spool_queue, spool }, tasks)
    }

    /// Whether the circuit breaker is open.
    #[must_use]
    pub fn store_fails(&self) -> bool {
        self.circuit.is_open()
    }

    /// Why the store does not work, while the circuit breaker is open.
    #[must_use]
    pub fn trouble(&self) -> Option<Trouble> {
        self.circuit.trouble()
    }

    /// Whether callbacks are being committed.
    #[must_use]
    pub fn is_committing(&self) -> bool {
        self.group_commit.is_committing()
    }

    /// How many callbacks wait for a commit, and how many may.
    #[must_use]
    pub fn queue(&self) -> QueueLength {
        self.group_commit.queue()
    }

    /// How full the spool is, where there is one.
    pub async fn spool_status(&self) -> Option<Result<SpoolStatus, SpoolError>> {
        Some(self.spool.as_ref()?.status().await)
    }

    /// Damaged files of the spool that were set aside.
    #[must_use]
    pub fn set_aside(&self) -> Vec<SetAside> {
        self.spool.as_ref().map(Spool::set_aside).unwrap_or_default()
    }

    /// Whether callbacks are taken while the store fails.
    #[must_use]
    pub fn has_spool(&self) -> bool {
        self.spool.is_some()
    }
}

impl IngestTasks {
    /// Waits until everything that was accepted is on disk. Every clone of the [`Ingest`] must be gone.
    pub async fn finish(self) {
        drop(self.stop_drain);
        // A panic of a task was logged by the panic hook.
        let _ = self.group_commit.await;
        let _ = self.drain.await;
        if let Some(spool) = self.spool {
            let _ = spool.await;
        }
    }
}
