//! What ingest asks of the database when it commits: the seam at which unit tests put a scripted store.

use std::time::Duration;

use super::rejected::{RejectedLog, Rejection};
use crate::{
    domain::Batch,
    storage::{Dispute, StoreError, Writer},
};

/// Commits batches of receipts. [`StoreRecorder`] is the real one; unit tests script another, which fails as they say.
pub(super) trait Recorder: Send + 'static {
    /// Commits a batch in one transaction: `Ok` means that all of it is on disk. Returns the messages of which some
    /// receipts take no part.
    fn record(&mut self, batch: &Batch<'_>) -> impl Future<Output = Result<Vec<Dispute>, StoreError>> + Send;

    /// Keeps a request in the log of refused bodies, with the reason.
    fn reject(
        &mut self,
        rejection: Rejection<'_>,
        reason: &str,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Asks, within `deadline`, whether the database would commit a batch.
    fn try_writing(&mut self, deadline: Duration) -> impl Future<Output = Result<(), StoreError>> + Send;
}

/// The database.
#[derive(Debug)]
pub(super) struct StoreRecorder {
    pub writer: Writer,
    pub rejected: RejectedLog,
}

impl Recorder for StoreRecorder {
    async fn record(&mut self, batch: &Batch<'_>) -> Result<Vec<Dispute>, StoreError> {
        self.writer.record(batch).await
    }

    async fn reject(&mut self, rejection: Rejection<'_>, reason: &str) -> Result<(), StoreError> {
        self.rejected.append(rejection, reason).await
    }

    async fn try_writing(&mut self, deadline: Duration) -> Result<(), StoreError> {
        self.writer.try_writing(deadline).await
    }
}
