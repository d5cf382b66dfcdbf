//! Rows that are committed to the store but not yet deleted from the spool.

use super::Drain;
use crate::{
    ingest::recorder::Recorder,
    storage::{SpoolError, SpoolFile, Undrainable},
};

/// Rows that are committed to the store but not yet deleted from the spool.
#[derive(Default)]
pub(in crate::ingest) struct Drained {
    /// The id of the last one. The drain goes on behind it, so that none is drained twice.
    pub through: i64,
    /// Those among them that can never be drained. They go to the quarantine.
    pub undrainable: Vec<Undrainable>,
    /// The spool file that they are in.
    pub file: u64,
}

/// Whether drained rows are deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Removal {
    Done,
    /// The disk may be full. They are deleted later.
    Postponed,
}

impl<R: Recorder> Drain<R> {
    /// Deletes drained rows from the spool file.
    pub(super) async fn remove_drained(&mut self, file: &SpoolFile) -> Result<Removal, SpoolError> {
        let Drained { through, undrainable, .. } = &self.drained;
        if *through == 0 {
            return Ok(Removal::Done);
        }
        match file.remove(*through, undrainable).await {
            Err(SpoolError::Damaged(damage)) => return Err(SpoolError::Damaged(damage)),
            Err(error) => {
                self.log_spool_error(&error, "drained callbacks cannot be deleted from the spool");
                return Ok(Removal::Postponed);
            }
            Ok(()) => self.last_spool_error.clear(),
        }
        for Undrainable { reason, .. } in &self.drained.undrainable {
            tracing::error!(
                reason,
                "a spooled callback can never be drained; it is in the spool's quarantine"
            );
        }
        self.drained = Drained { file: self.drained.file, ..Drained::default() };
        Ok(Removal::Done)
    }

    /// Logs why the spool cannot be used, once for each reason.
    pub(super) fn log_spool_error(&mut self, error: &dyn std::error::Error, message: &str) {
        let reason = error.to_string();
        if reason != self.last_spool_error {
            tracing::error!(%error, "{message}");
            self.last_spool_error = reason;
        }
    }
}
