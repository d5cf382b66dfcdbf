//! Drains damaged spool files that were set aside: what can be read of them is replayed like the content of an undamaged file.

use std::{collections::HashSet, time::Duration};

use tokio::time::Instant;

use super::{BATCH, Drain, Hindrance};
use crate::{
    ingest::recorder::Recorder,
    storage::{
        Findings, QuarantinedRequest, Salvage, SetAside, Spool, SpoolError, SpooledRequest, Undrainable,
    },
};

/// How often set-aside files are checked again: a process that still has one open may have written to it.
pub(super) const LOOK_AGAIN: Duration = Duration::from_secs(10);

/// What the drain knows of set-aside files.
#[derive(Default)]
pub(in crate::ingest) struct SetAsideFiles {
    /// Those that are being drained, the oldest first.
    draining: Vec<Draining>,
    /// Those that were logged.
    told: HashSet<String>,
    /// Those that cannot be read; they are tried again at the next start.
    given_up: HashSet<String>,
    looked: Option<Instant>,
}

/// A file that is being drained.
struct Draining {
    name: String,
    salvage: Salvage,
    /// Requests that are not replayed yet.
    batch: Vec<SpooledRequest>,
    /// Requests that can never be replayed.
    undrainable: Vec<QuarantinedRequest>,
}

impl<R: Recorder> Drain<R> {
    pub(super) fn has_set_aside(&self) -> bool {
        self.spool.as_ref().is_some_and(|spool| !spool.set_aside().is_empty())
    }

    /// Scans files that were set aside, and logs once for each what is in it.
    pub(super) async fn look_at_set_aside(&mut self) {
        let Some(spool) = self.spool.clone().filter(|_| self.has_set_aside()) else { return };
        if self.set_aside.looked.is_none_or(|looked| looked.elapsed() >= LOOK_AGAIN) {
            // An error of reading the folder is not fatal: the next look may succeed.
            let _ = spool.look_again().await;
            self.set_aside.looked = Some(Instant::now());
        }
        for file in spool.set_aside() {
            let name = file.name();
            let SetAsideFiles { draining, given_up, .. } = &self.set_aside;
            if !file.is_drained
                && !given_up.contains(&name)
                && draining.iter().all(|other| other.name != name)
            {
                self.look_at(&spool, file).await;
            } else if let Some(Findings { missing, .. }) = file.findings
                && self.set_aside.told.insert(name)
            {
                let (file, missing) = (file.path.display(), or_unknown(missing));
                tracing::warn!(%file, missing, "a damaged spool file is still here; what could be read was drained");
            }
        }
    }

    async fn look_at(&mut self, spool: &Spool, file: SetAside) {
        let (name, path, damage) = (file.name(), file.path.clone(), file.damage.clone());
        let path = path.display();
        match spool.salvage(file).await {
            Ok(salvage) => {
                let Findings { readable, missing, .. } = salvage.findings();
                if self.set_aside.told.insert(name.clone()) {
                    tracing::error!(
                        file = %path, damage, readable, missing = or_unknown(missing),
                        "the spool's file was damaged and is set aside: what is readable is drained, what is missing \
                         had been acknowledged, and is lost at most; see \"A damaged file\" in docs/operations.md"
                    );
                }
                let undrainable = salvage.quarantined().to_vec();
                self.set_aside.draining.push(Draining { name, salvage, batch: Vec::new(), undrainable });
            }
            Err(error) => {
                tracing::error!(
                    file = %path, %error, "a damaged spool file cannot be read; it is tried again at the next start"
                );
                self.set_aside.given_up.insert(name);
            }
        }
    }

    /// Replays one batch of a set-aside file. Returns whether there was anything to do.
    pub(super) async fn salvage(&mut self, spool: &Spool) -> Result<bool, Hindrance> {
        if self.set_aside.draining.is_empty() {
            return Ok(false);
        }
        let mut draining = self.set_aside.draining.remove(0);
        // Another process may have drained it.
        let is_drained = |file: &SetAside| file.name() == draining.name && file.is_drained;
        if spool.set_aside().iter().any(is_drained) {
            return Ok(true);
        }
        if draining.batch.is_empty() {
            let name = draining.name.clone();
            match spool.next_of(draining.salvage, BATCH).await {
                Ok((salvage, batch)) => (draining.salvage, draining.batch) = (salvage, batch),
                Err(error) => {
                    tracing::error!(file = name, %error, "a damaged spool file cannot be read any further");
                    self.set_aside.given_up.insert(name);
                    return Ok(true);
                }
            }
        }
        if draining.batch.is_empty() {
            self.finish(spool, draining).await;
            return Ok(true);
        }
        let replayed = self.replay.run(&draining.batch).await;
        if let Ok(undrainable) = &replayed {
            self.circuit.close();
            tracing::info!(
                callbacks = draining.batch.len(),
                file = draining.name,
                "drained from a damaged spool"
            );
            let requests = std::mem::take(&mut draining.batch);
            draining.undrainable.extend(undrainable.iter().filter_map(|Undrainable { id, reason }| {
                let request = requests.iter().find(|request| request.id == *id)?.clone();
                Some(QuarantinedRequest { request, reason: reason.clone() })
            }));
        }
        self.set_aside.draining.insert(0, draining);
        Ok(replayed.map(|_| true)?)
    }

    /// Ends a file of which everything that can be read is in the store, by moving the rest to the quarantine.
    async fn finish(&mut self, spool: &Spool, draining: Draining) {
        let Draining { name, salvage, undrainable, .. } = draining;
        let current = spool.current();
        let mut kept = current.add_quarantined(&undrainable).await;
        if let Err(SpoolError::Damaged(damage)) = &kept
            && spool.replace(&current, damage).await.is_ok()
        {
            kept = spool.current().add_quarantined(&undrainable).await;
        }
        let marked = match kept {
            Ok(()) => spool.mark_drained(&name, salvage.findings()).await.map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        match marked {
            Ok(()) => tracing::info!(file = name, "what can be read of a damaged spool is drained"),
            Err(error) => {
                tracing::error!(file = name, error, "a damaged spool is drained again at the next start");
                self.set_aside.given_up.insert(name);
            }
        }
    }
}

fn or_unknown(missing: Option<u64>) -> String {
    missing.map_or_else(|| "unknown".to_owned(), |missing| missing.to_string())
}
