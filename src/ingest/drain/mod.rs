//! The drain: tries a store that has failed, and brings it what was spooled meanwhile, in order.

mod bring;
mod complain;
mod drained;
mod salvage;

use std::{fs::File, time::Duration};

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use tokio::{sync::watch, time::sleep};

pub(super) use self::{drained::Drained, salvage::SetAsideFiles};
use super::{
    circuit::Circuit, commit::Committer, complaints::Complaints, preparation::Preparation, reader::Reader,
};
use crate::storage::{Spool, SpoolError, SpoolFile, StoreError};

/// The most callbacks that are drained at a time.
const BATCH: usize = 512;

/// Pauses between tries of a store that fails.
fn pauses() -> ExponentialBackoff {
    let pauses = ExponentialBuilder::new().with_min_delay(Duration::from_millis(50));
    pauses.with_max_delay(Duration::from_secs(1)).without_max_times().with_jitter().build()
}

/// Works in the background for as long as the service runs.
pub(super) struct Drain {
    /// What the database still needs before it is used.
    pub unprepared: Option<Preparation>,
    pub spool: Option<Spool>,
    pub drained: Drained,
    /// Damaged files that are being drained.
    pub set_aside: SetAsideFiles,
    /// The right to drain the file; another process may have it.
    pub lock: Option<File>,
    pub reader: Reader,
    pub committer: Committer,
    pub circuit: Circuit,
    /// What was said of the store.
    pub complaints: Complaints,
    /// What was last said of the spool.
    pub spool_complaint: String,
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

impl Drain {
    /// Works until the sender of `stop` is gone. What has been begun is finished.
    pub async fn run(mut self, mut stop: watch::Receiver<()>) {
        let mut pauses = pauses();
        while stop.has_changed().is_ok() {
            self.look_at_set_aside().await;
            let unprepared = self.unprepared.is_some();
            let turn = tokio::select! {
                turn = self.turn() => turn,
                // A migration may take long; one that is dropped is undone.
                _ = stop.changed(), if unprepared => break,
            };
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
                () = sleep(salvage::LOOK_AGAIN), if matches!(turn, Turn::Idle) && self.has_set_aside() => {}
                () = sleep(pause), if !matches!(turn, Turn::Idle) => {}
            }
        }
    }

    async fn turn(&mut self) -> Turn {
        match self.advance().await {
            Ok(turn) => turn,
            Err(Hindrance::Store(error)) => {
                self.circuit.open(&error);
                self.complaints.say(&error);
                Turn::Again
            }
            Err(error) => {
                self.complain_of_spool(&error, "the spool is not drained");
                // The store may do its work all the same, and fails again here otherwise.
                let _ = self.try_store().await;
                Turn::Again
            }
        }
    }

    /// Brings the store one batch, or asks whether it would take one.
    async fn advance(&mut self) -> Result<Turn, Hindrance> {
        if let Some(preparation) = &mut self.unprepared {
            preparation.go_on().await?;
            self.unprepared = None;
            // Only preparing may be dropped halfway, so nothing else is begun in the same turn.
            return Ok(Turn::More);
        }
        let spool = match self.spool.clone() {
            Some(spool) if self.may_drain(&spool)? => spool,
            _ => {
                self.try_store().await?;
                return self.rest().await;
            }
        };
        if self.salvage(&spool).await? {
            return Ok(Turn::More);
        }
        let file = spool.current();
        if self.drained.file != file.identity() {
            self.drained = Drained { file: file.identity(), ..Drained::default() };
        }
        match self.drain(&file).await {
            Err(Hindrance::Spool(SpoolError::Damaged(damage))) => {
                spool.replace(&file, &damage).await?;
                Ok(Turn::More)
            }
            turn => turn,
        }
    }

    /// Brings the store one batch of a whole file.
    async fn drain(&mut self, file: &SpoolFile) -> Result<Turn, Hindrance> {
        let oldest = file.oldest(BATCH, self.drained.through).await?;
        let Some(last) = oldest.last() else {
            self.try_store().await?;
            return if self.is_removed(file).await? { self.rest().await } else { Ok(Turn::Again) };
        };
        let undrainable = self.bring(&oldest).await?;
        self.circuit.close();
        tracing::info!(callbacks = oldest.len(), "drained from the spool");
        self.drained.through = last.id;
        self.drained.undrainable.extend(undrainable);
        self.is_removed(file).await?;
        Ok(Turn::More)
    }

    /// Asks a store that has failed whether it would take callbacks again.
    async fn try_store(&mut self) -> Result<(), StoreError> {
        if self.circuit.is_open() && self.unprepared.is_none() {
            self.committer.try_store().await?;
            self.circuit.close();
        }
        Ok(())
    }

    /// Leaves the file to whoever else uses it: during an upgrade, the process that is about to end. What
    /// that one has not drained by then is ours.
    async fn rest(&mut self) -> Result<Turn, Hindrance> {
        let drains = self.lock.take().is_some();
        match &self.spool {
            Some(spool) if !drains && spool.count().await? > 0 => Ok(Turn::Again),
            _ => Ok(Turn::Idle),
        }
    }

    fn may_drain(&mut self, spool: &Spool) -> std::io::Result<bool> {
        if self.lock.is_none() {
            self.lock = spool.lock_for_draining()?;
        }
        Ok(self.lock.is_some())
    }
}
