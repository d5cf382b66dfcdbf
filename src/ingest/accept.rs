//! One request: read, and kept. The caller may answer 200 once `accept` says so.

use super::{
    circuit::Circuit,
    group_commit::GroupCommit,
    kept::{Kept, NotKept},
    reader::{Arrival, Reader},
    rejected::{RejectedLog, reason},
    spool::{SpoolQueue, spooled},
};
use crate::{
    domain::MessageSid,
    exotel::{CallbackError, RawRequest},
    storage::Failure,
};

/// The way of a callback to disk. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Ingest {
    pub(super) reader: Reader,
    pub(super) group_commit: GroupCommit,
    pub(super) rejected: RejectedLog,
    pub(super) circuit: Circuit,
    pub(super) spool: Option<SpoolQueue>,
}

/// A callback that is on disk.
#[derive(Clone, Debug)]
pub struct Accepted {
    /// The message.
    pub sid: MessageSid,
    /// Where it is kept.
    pub kept: Kept,
}

/// Why a callback was not recorded.
#[derive(Debug, thiserror::Error)]
pub enum IngestError {
    /// It is no status callback; its bytes and the reason are in the log of refused bodies.
    #[error(transparent)]
    Refused(CallbackError),
    /// It is not kept.
    #[error(transparent)]
    NotKept(#[from] NotKept),
}

impl Ingest {
    /// Takes a callback. `Ok` means that it is on disk. Dropping the future changes nothing for a
    /// callback that was read: it is kept all the same.
    ///
    /// # Errors
    /// [`IngestError::Refused`] and [`NotKept::RefusedByStore`] where it is in the log of refused bodies; the others
    /// where nothing is known to be kept.
    pub async fn accept(&self, request: RawRequest, arrival: Arrival<'_>) -> Result<Accepted, IngestError> {
        match self.reader.read(&request, arrival) {
            Ok(receipt) => {
                let sid = receipt.sid.clone();
                let kept = self.group_commit.keep(receipt, request).await?;
                Ok(Accepted { sid, kept })
            }
            // Boxed, since every request's future would have to hold room for it.
            Err(error) => Err(Box::pin(self.refuse(request, arrival, error)).await),
        }
    }

    /// Keeps what was refused, in the spool while the store cannot: the drain will refuse it again.
    async fn refuse(&self, request: RawRequest, arrival: Arrival<'_>, error: CallbackError) -> IngestError {
        let reception = (&arrival.account.name, arrival.received_at);
        if !self.circuit.is_open() {
            match self.rejected.append(&request, reception, &reason(&error)).await {
                Ok(()) => return IngestError::Refused(error),
                Err(failure) if failure.failure() == Failure::Outage => self.circuit.open(&failure),
                // What the request holds, or another writer in the way: the store is well, and is not left alone for it.
                Err(failure) => tracing::warn!(code = failure.code(), "a refused request cannot be logged"),
            }
        }
        match &self.spool {
            Some(spool) => match spool.keep(spooled(request, arrival.into())).await {
                Ok(()) => IngestError::Refused(error),
                Err(reason) => reason.into(),
            },
            None => NotKept::Unavailable.into(),
        }
    }
}
