//! Why the drain does not get on, said once for each reason.

use super::Drain;

impl Drain {
    /// Says why the spool is not drained.
    pub(super) fn complain_of_spool(&mut self, error: &dyn std::error::Error, what: &str) {
        let reason = error.to_string();
        if reason != self.spool_complaint {
            tracing::error!(%error, "{what}");
            self.spool_complaint = reason;
        }
    }
}
