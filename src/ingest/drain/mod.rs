//! The drain: tries a store that has failed, and brings it what was spooled meanwhile, in order.

mod bring;

use std::{fs::File, time::Duration};

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use tokio::{sync::watch, time::sleep};

use self::bring::Undrainable;
use super::{circuit::Circuit, commit::Committer, reader::Reader, start::Prepare};
use crate::storage::{SpoolError, SpoolFile, Store, StoreError};

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
    pub drained: Drained,
    /// The right to drain the file; another process may have it.
    pub lock: Option<File>,
    pub reader: Reader,
    pub committer: Committer,
    pub circuit: Circuit,
    /// What was last said of the store.
    pub complaint: String,
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

/// What the store has, and the spool still has.
#[derive(Default)]
pub(super) struct Drained {
    /// The place of the last one; nothing is drained twice for being there.
    through: i64,
    undrainable: Vec<Undrainable>,
}

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
                self.circuit.open(&error);
                self.complain(&error);
                Turn::Again
            }
            Err(error) => {
                tracing::error!(%error, "the spool is not drained");
                // The store may do its work all the same, and fails again here otherwise.
                let _ = self.try_store().await;
                Turn::Again
            }
        }
    }

    /// Says why the store cannot be used yet, once for each reason: an operator may have to mend it.
    fn complain(&mut self, error: &StoreError) {
        let reason = error.to_string();
        if reason != self.complaint {
            tracing::warn!(%error, "the store is tried again until it does its work");
            self.complaint = reason;
        }
    }

    /// Brings the store one batch, or asks it for a sign of life.
    async fn advance(&mut self) -> Result<Turn, Hindrance> {
        if let Some(prepare) = self.unprepared {
            prepare.run(&self.store).await?;
            self.unprepared = None;
        }
        let file = match self.file.clone() {
            Some(file) if self.may_drain(&file)? => file,
            _ => {
                self.try_store().await?;
                return self.rest().await;
            }
        };
        let oldest = file.oldest(BATCH, self.drained.through).await?;
        let Some(last) = oldest.last() else {
            self.try_store().await?;
            return if self.is_removed(&file).await { self.rest().await } else { Ok(Turn::Again) };
        };
        let undrainable = self.bring(&oldest).await?;
        self.circuit.close();
        tracing::info!(callbacks = oldest.len(), "drained from the spool");
        self.drained.through = last.id;
        self.drained.undrainable.extend(undrainable);
        self.is_removed(&file).await;
        Ok(Turn::More)
    }

    /// Asks a store that has failed for a sign of life.
    async fn try_store(&self) -> Result<(), StoreError> {
        if self.circuit.is_open() {
            self.store.ping().await?;
            self.circuit.close();
        }
        Ok(())
    }

    /// Takes what has been drained out of the spool. A disk that is full may not let us; the rest is drained
    /// all the same.
    async fn is_removed(&mut self, file: &SpoolFile) -> bool {
        let Drained { through, undrainable } = &self.drained;
        if *through == 0 {
            return true;
        }
        if let Err(error) = file.remove(*through, undrainable).await {
            tracing::error!(%error, "what has been drained cannot be taken out of the spool");
            return false;
        }
        for (_, reason) in undrainable {
            tracing::error!(
                reason,
                "a spooled callback can never be drained; it is in the spool's quarantine"
            );
        }
        self.drained = Drained::default();
        true
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
}
