//! What the store has by now, on its way out of the spool.

use super::{Drain, bring::Undrainable};
use crate::storage::{SpoolError, SpoolFile};

/// What the store has, and the spool still has.
#[derive(Default)]
pub(in crate::ingest) struct Drained {
    /// The place of the last one; nothing is drained twice for being there.
    pub through: i64,
    pub undrainable: Vec<Undrainable>,
    /// The file that it is about.
    pub file: u64,
}

impl Drain {
    /// Takes what has been drained out of the spool. A disk that is full may not let us; the rest is drained
    /// all the same.
    pub(super) async fn is_removed(&mut self, file: &SpoolFile) -> Result<bool, SpoolError> {
        let Drained { through, undrainable, .. } = &self.drained;
        if *through == 0 {
            return Ok(true);
        }
        match file.remove(*through, undrainable).await {
            Err(SpoolError::Damaged(damage)) => return Err(SpoolError::Damaged(damage)),
            Err(error) => {
                self.complain_of_spool(&error, "what has been drained cannot be taken out of the spool");
                return Ok(false);
            }
            Ok(()) => self.spool_complaint.clear(),
        }
        for (_, reason) in undrainable {
            tracing::error!(
                reason,
                "a spooled callback can never be drained; it is in the spool's quarantine"
            );
        }
        self.drained = Drained { file: self.drained.file, ..Drained::default() };
        Ok(true)
    }
}
