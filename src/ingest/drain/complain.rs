//! Why the drain does not get on, said once for each reason.

use super::Drain;
use crate::storage::StoreError;

impl Drain {
    /// Says why the store cannot be used yet, once for each reason: an operator may have to mend it.
    pub(super) fn complain(&mut self, error: &StoreError) {
        let reason = error.to_string();
        if reason != self.complaint {
            tracing::warn!(%error, "the store is tried again until it does its work");
            self.complaint = reason;
        }
    }

    /// The same of the spool.
    pub(super) fn complain_of_spool(&mut self, error: &dyn std::error::Error, what: &str) {
        let reason = error.to_string();
        if reason != self.spool_complaint {
            tracing::error!(%error, "{what}");
            self.spool_complaint = reason;
        }
    }
}
