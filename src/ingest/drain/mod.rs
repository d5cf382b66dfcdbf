//! The drain: tries a store that has failed, with backoff, and replays what was spooled, in order.

mod drained;
mod salvage;

use std::{fs::File, time::Duration};

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use tokio::{sync::watch, time::sleep};

use self::drained::Removal;
pub(super) use self::{drained::Drained, salvage::SetAsideFiles};
use super::{
    circuit::Circuit, complaints::Complaints, preparation::Preparation, recorder::Recorder, replay::Replay,
};
use crate::storage::{Spool, SpoolError, SpoolFile, StoreError};

/// The most callbacks of one turn.
const BATCH: usize = 512;

/// The backoff between tries of a store that fails.
fn pauses() -> ExponentialBackoff {
    let pauses = ExponentialBuilder::new().with_min_delay(Duration::from_millis(50));
    pauses.with_max_delay(Duration::from_secs(1)).without_max_times().with_jitter().build()
}

/// The task, which runs as long as the service.
pub(super) struct Drain<R> {
    /// The preparation that the database still needs.
    pub unprepared: Option<Preparation>,
    pub spool: Option<Spool>,
    pub drained: Drained,
    /// Damaged spool files that were set aside.
    pub set_aside: SetAsideFiles,
    /// The lock of the process that drains, while this one holds it.
    pub lock: Option<File>,
    pub replay: Replay<R>,
    pub circuit: Circuit,
    /// What was logged of the store.
    pub complaints: Complaints,
    /// What was last logged of the spool.
    pub last_spool_error: String,
}

/// The result of one turn.
enum Turn {
    /// There may be more.
    More,
    /// Nothing is left to do.
    Idle,
    /// It failed, and is tried again after a pause.
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

impl<R: Recorder> Drain<R> {
    /// Runs until the sender of `stop` is dropped. A turn under way is finished.
    pub async fn run(mut self, mut stop: watch::Receiver<()>) {
        let mut pauses = pauses();
        while stop.has_changed().is_ok() {
            self.look_at_set_aside().await;
            let unprepared = self.unprepared.is_some();
            let turn = tokio::select! {
                turn = self.turn() => turn,
                // A migration may take long. Dropped, it is rolled back.
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
                self.log_spool_error(&error, "the spool is not drained");
                // The store may work all the same; if not, it fails again here.
                let _ = self.try_store().await;
                Turn::Again
            }
        }
    }

    /// Replays one batch, or checks that the store would commit one.
    async fn advance(&mut self) -> Result<Turn, Hindrance> {
        if let Some(preparation) = &mut self.unprepared {
            preparation.go_on().await?;
            self.unprepared = None;
            // Only preparing may be dropped halfway, so the turn ends here.
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

    /// Replays one batch of the spool's current file.
    async fn drain(&mut self, file: &SpoolFile) -> Result<Turn, Hindrance> {
        let oldest = file.oldest(BATCH, self.drained.through).await?;
        let Some(last) = oldest.last() else {
            self.try_store().await?;
            return match self.remove_drained(file).await? {
                Removal::Done => self.rest().await,
                Removal::Postponed => Ok(Turn::Again),
            };
        };
        let undrainable = self.replay.run(&oldest).await?;
        self.circuit.close();
        tracing::info!(callbacks = oldest.len(), "drained from the spool");
        self.drained.through = last.id;
        self.drained.undrainable.extend(undrainable);
        // What cannot be deleted yet is not drained twice: the next batch begins behind it.
        self.remove_drained(file).await?;
        Ok(Turn::More)
    }

    /// Checks that a store that has failed would commit a batch again, and then closes the circuit.
    async fn try_store(&mut self) -> Result<(), StoreError> {
        if self.circuit.is_open() && self.unprepared.is_none() {
            self.replay.committer.try_store().await?;
            self.circuit.close();
        }
        Ok(())
    }

    /// Releases the lock while there is nothing to drain, so that another process may drain: during an upgrade the one that is about to
    /// end. If it leaves anything behind, this one drains it.
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

#[cfg(test)]
mod tests {
    use std::num::NonZeroU64;

    use tempfile::TempDir;
    use tokio::time::timeout;

    use super::*;
    use crate::ingest::scripted::{Script, ScriptedStore, in_spool, reader};

    /// A drain between a spool on disk and a scripted store.
    struct Rig {
        store: ScriptedStore,
        spool: Spool,
        circuit: Circuit,
        stop: watch::Sender<()>,
        task: tokio::task::JoinHandle<()>,
        _folder: TempDir,
    }

    impl Rig {
        /// With so many callbacks in the spool, of which each tenth is no callback.
        async fn start(callbacks: i64, script: Script) -> Self {
            let folder = tempfile::tempdir().unwrap();
            let (path, most) = (folder.path().join("spool.db"), NonZeroU64::new(64 << 20).unwrap());
            let spool = Spool::open(&path, most).await.unwrap();
            let requests: Vec<_> = (0..callbacks).map(|at| in_spool(0, &body(at))).collect();
            spool.append(&requests).await.unwrap();
            let (store, circuit) = (ScriptedStore::default(), Circuit::default());
            *store.script() = script;
            circuit.begin_open(&StoreError::TimedOut(Duration::ZERO));
            let (stop, stopped) = watch::channel(());
            let drain = Drain {
                unprepared: None,
                spool: Some(spool.clone()),
                drained: Drained::default(),
                set_aside: SetAsideFiles::default(),
                lock: None,
                replay: Replay { reader: reader(), committer: store.committer() },
                circuit: circuit.clone(),
                complaints: Complaints::of("scripted"),
                last_spool_error: String::new(),
            };
            Self { store, spool, circuit, stop, task: tokio::spawn(drain.run(stopped)), _folder: folder }
        }

        async fn is_drained(&self) -> bool {
            let until_empty = async {
                while self.spool.count().await.unwrap() > 0 {
                    sleep(Duration::from_millis(5)).await;
                }
            };
            timeout(Duration::from_secs(20), until_empty).await.is_ok()
        }
    }

    fn body(at: i64) -> String {
        if at % 10 == 9 { format!("no callback {at}") } else { format!("SmsSid=s{at:05}&Status=sent") }
    }

    #[tokio::test]
    async fn the_oldest_comes_first_over_all_batches_and_nothing_twice() {
        let callbacks = 3 * i64::try_from(BATCH).unwrap() + 7;
        let rig = Rig::start(callbacks, Script::default()).await;
        assert!(rig.is_drained().await);
        assert!(!rig.circuit.is_open());
        let sids: Vec<_> = (0..callbacks).filter(|at| at % 10 != 9).map(|at| format!("s{at:05}")).collect();
        assert_eq!(rig.store.script().recorded, sids);
        let rejected = rig.store.script().rejected.len();
        assert_eq!(i64::try_from(rejected).unwrap(), callbacks / 10);
        drop(rig.stop);
        rig.task.await.unwrap();
    }

    #[tokio::test]
    async fn a_store_that_fails_in_between_is_tried_again_and_nothing_is_deleted_before_it_is_committed() {
        let callbacks = 2 * i64::try_from(BATCH).unwrap();
        let script = Script { fails_after: Some(1), ..Script::default() };
        let rig = Rig::start(callbacks, script).await;
        let second_try = async {
            while rig.store.script().tried.len() < 3 {
                sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(Duration::from_secs(20), second_try).await.unwrap();
        let left = rig.spool.count().await.unwrap();
        assert_eq!(left, u64::try_from(callbacks).unwrap() / 2, "the first batch alone is deleted");
        assert!(rig.circuit.is_open());
        rig.store.script().fails_after = None;
        assert!(rig.is_drained().await);
        let script = rig.store.script();
        assert!(script.recorded.is_sorted());
        assert_eq!(script.recorded.len() + script.rejected.len(), 2 * BATCH);
    }

    #[tokio::test]
    async fn what_can_never_be_drained_goes_to_the_quarantine() {
        let script = Script { poison: ["s00003".into()].into(), poisons_log: true, ..Script::default() };
        let rig = Rig::start(9, script).await;
        assert!(rig.is_drained().await);
        assert_eq!(rig.store.script().recorded.len(), 8);
        assert_eq!(rig.spool.status().await.unwrap().set_aside, 1);
    }
}
