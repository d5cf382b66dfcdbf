//! The drain: tries a store that has failed, and brings it what was spooled meanwhile, in order.

use std::{fs::File, time::Duration};

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use tokio::{sync::watch, time::sleep};

use super::{
    circuit::Circuit,
    commit::{Committer, Pending},
    reader::Reader,
    rejected::reason,
    spool::unspooled,
    start::Prepare,
};
use crate::storage::{Failure, SpoolError, SpoolFile, SpooledRequest, Store, StoreError};

/// The most callbacks that are drained at a time.
const BATCH: usize = 512;

/// Pauses between tries of a store that fails.
fn pauses() -> ExponentialBackoff {
    let pauses = ExponentialBuilder::new().with_min_delay(Duration::from_millis(50));
    pauses.with_max_delay(Duration::from_secs(1)).without_max_times().with_jitter().build()
}

/// Works in the background for as long as the service runs.
pub(super) struct Drain {
    pub store: Store,
    /// What the database still needs before it is used.
    pub unprepared: Option<Prepare>,
    pub file: Option<SpoolFile>,
    /// The right to drain the file; another process may have it.
    pub lock: Option<File>,
    pub reader: Reader,
    pub committer: Committer,
    pub circuit: Circuit,
}

/// What became of one turn of the drain.
enum Turn {
    /// There may be more.
    More,
    /// Nothing is left to do.
    Idle,
    /// It has to be tried again.
    Again,
}

/// Why the drain cannot go on.
#[derive(Debug, thiserror::Error)]
enum Hindrance {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Spool(#[from] SpoolError),
    #[error("cannot lock the spool: {0}")]
    Lock(#[from] std::io::Error),
}

/// A callback that can never be drained: its place in the spool, and why.
type Undrainable = (i64, String);

impl Drain {
    /// Works until the sender of `stop` is gone. What has been begun is finished.
    pub async fn run(mut self, mut stop: watch::Receiver<()>) {
        let mut pauses = pauses();
        while stop.has_changed().is_ok() {
            let turn = self.turn().await;
            let pause = match turn {
                Turn::Again => pauses.next().unwrap_or_default(),
                Turn::More | Turn::Idle => {
                    pauses = self::pauses();
                    Duration::ZERO
                }
            };
            tokio::select! {
                _ = stop.changed() => break,
                () = self.circuit.work(), if matches!(turn, Turn::Idle) => {}
                () = sleep(pause), if !matches!(turn, Turn::Idle) => {}
            }
        }
    }

    async fn turn(&mut self) -> Turn {
        match self.advance().await {
            Ok(turn) => turn,
            Err(Hindrance::Store(error)) => {
                tracing::debug!(%error, "the store is tried again");
                self.circuit.open(&error);
                Turn::Again
            }
            Err(error) => {
                tracing::error!(%error, "the spool is not drained");
                Turn::Again
            }
        }
    }

    /// Brings the store one batch, or asks it for a sign of life.
    async fn advance(&mut self) -> Result<Turn, Hindrance> {
        if let Some(prepare) = self.unprepared {
            prepare.run(&self.store).await?;
            self.unprepared = None;
        }
        let (oldest, file) = match self.file.clone() {
            Some(file) if self.may_drain(&file)? => (file.oldest(BATCH).await?, Some(file)),
            _ => (Vec::new(), None),
        };
        let Some(file) = file.filter(|_| !oldest.is_empty()) else {
            if self.circuit.is_open() {
                self.store.ping().await?;
                self.circuit.close();
            }
            return self.rest().await;
        };
        let undrainable = self.bring(&oldest).await?;
        self.circuit.close();
        for (_, reason) in &undrainable {
            tracing::error!(
                reason,
                "a spooled callback can never be drained; it is in the spool's quarantine"
            );
        }
        remove(&file, &oldest, &undrainable).await;
        tracing::info!(callbacks = oldest.len(), "drained from the spool");
        Ok(Turn::More)
    }

    /// Leaves the file to whoever else uses it: during an upgrade, the process that is about to end. What
    /// that one has not drained by then is ours.
    async fn rest(&mut self) -> Result<Turn, Hindrance> {
        let drains = self.lock.take().is_some();
        match &self.file {
            Some(file) if !drains && file.count().await? > 0 => Ok(Turn::Again),
            _ => Ok(Turn::Idle),
        }
    }

    fn may_drain(&mut self, file: &SpoolFile) -> std::io::Result<bool> {
        if self.lock.is_none() {
            self.lock = file.lock_for_draining()?;
        }
        Ok(self.lock.is_some())
    }

    /// Brings callbacks to the store, as if they came now but for their time. Returns those that will
    /// never get there.
    async fn bring(&mut self, oldest: &[SpooledRequest]) -> Result<Vec<Undrainable>, StoreError> {
        let (mut undrainable, mut batch, mut refused) = (Vec::new(), Vec::new(), Vec::new());
        for spooled in oldest {
            let (id, received_at, raw) = (spooled.id, spooled.received_at, unspooled(spooled));
            let Some(account) = self.reader.accounts.get(spooled.account.as_str()) else {
                undrainable.push((id, format!("the account `{}` is not configured", spooled.account)));
                continue;
            };
            match self.reader.read(&raw, account, received_at) {
                Ok(receipt) => batch.push(Pending { receipt, raw, waiting: id }),
                Err(error) => refused.push((id, raw, (&account.name, received_at), reason(&error))),
            }
        }
        // The receipts first: where the store fails, this shows it before anything is kept twice.
        while let Some((error, mut rest)) = self.committer.commit(std::mem::take(&mut batch)).await.failed {
            if error.failure() != Failure::Poison {
                return Err(error);
            }
            undrainable.push((rest.remove(0).waiting, error.to_string()));
            batch = rest;
        }
        for (id, raw, reception, reason) in refused {
            match self.committer.rejected.append(&raw, reception, &reason).await {
                Err(error) if error.failure() == Failure::Poison => undrainable.push((id, error.to_string())),
                kept => kept?,
            }
        }
        Ok(undrainable)
    }
}

/// Takes what the store has out of the spool. Until that is done nothing more is drained: it would be
/// recorded again and again.
async fn remove(file: &SpoolFile, oldest: &[SpooledRequest], undrainable: &[Undrainable]) {
    let mut pauses = pauses();
    while let Err(error) = file.remove(oldest, undrainable).await {
        tracing::error!(%error, "what has been drained cannot be taken out of the spool");
        sleep(pauses.next().unwrap_or_default()).await;
    }
}
