//! Takes one callback: it is read, then kept. The caller may answer 200 once `keep` returns `Ok`.

use super::{
    circuit::Circuit,
    group_commit::GroupCommit,
    kept::{Kept, NotKept},
    reader::{Arrival, Reader},
    rejected::{RejectedLog, Rejection, reason},
    spool::SpoolQueue,
    spooled::spooled,
};
use crate::{
    domain::{Field, MessageSid},
    exotel::{CallbackError, ParsedCallback, RawRequest},
    storage::{Failure, Spool},
};

/// Takes callbacks and keeps them. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Ingest {
    pub(super) reader: Reader,
    pub(super) group_commit: GroupCommit,
    pub(super) rejected: RejectedLog,
    pub(super) circuit: Circuit,
    pub(super) spool_queue: Option<SpoolQueue>,
    pub(super) spool: Option<Spool>,
}

/// A request that is a status callback. Nothing of it is kept yet.
#[derive(Debug)]
pub struct ReadCallback {
    parsed: ParsedCallback,
    raw: RawRequest,
}

/// A callback that is on disk.
#[derive(Clone, Debug)]
pub struct Accepted {
    /// The message.
    pub sid: MessageSid,
    /// Where it is kept.
    pub kept: Kept,
}

/// Why a request is not taken as a callback.
#[derive(Debug, thiserror::Error)]
pub enum IngestError {
    /// It is no status callback; its bytes and the reason are in the log of refused bodies.
    #[error(transparent)]
    Refused(CallbackError),
    /// It is not kept.
    #[error(transparent)]
    NotKept(#[from] NotKept),
}

impl ReadCallback {
    /// The recipient, as the callback spells it.
    #[must_use]
    pub fn recipient(&self) -> Option<&str> {
        self.parsed.callback.get(Field::To)
    }
}

impl Ingest {
    /// Reads a request. One that is no status callback is kept in the log of refused bodies, with the reason.
    ///
    /// # Errors
    /// [`IngestError::Refused`] where it is in that log, or in the spool on its way there; [`IngestError::NotKept`]
    /// where it is neither.
    pub async fn read(&self, raw: RawRequest, arrival: Arrival<'_>) -> Result<ReadCallback, IngestError> {
        match Reader::parse(&raw) {
            Ok(parsed) => Ok(ReadCallback { parsed, raw }),
            // Boxed, since every request's future would have to hold room for it.
            Err(error) => Err(Box::pin(self.refuse(raw, arrival, error)).await),
        }
    }

    /// Keeps a callback. `Ok` means that it is on disk. It is kept even if the future is dropped after the first poll.
    ///
    /// # Errors
    /// [`NotKept::RefusedByStore`] where it is in the log of refused bodies; the others where it is not known to be
    /// kept anywhere.
    pub fn keep(
        &self,
        callback: ReadCallback,
        arrival: Arrival<'_>,
    ) -> impl Future<Output = Result<Accepted, NotKept>> {
        let ReadCallback { parsed, raw } = callback;
        // Outside of the future, which would have to hold room for what was parsed.
        let receipt = self.reader.normalise(parsed, arrival);
        async move {
            let sid = receipt.sid.clone();
            let kept = self.group_commit.keep(receipt, raw).await?;
            Ok(Accepted { sid, kept })
        }
    }

    /// Keeps what was refused. While the store fails the spool takes it, and the drain refuses it again.
    async fn refuse(&self, raw: RawRequest, arrival: Arrival<'_>, error: CallbackError) -> IngestError {
        if !self.circuit.is_open() {
            let rejection = Rejection::of(arrival, &raw);
            match self.rejected.append(rejection, &reason(&error)).await {
                Ok(()) => return IngestError::Refused(error),
                Err(failure) if failure.failure() == Failure::Outage => self.circuit.open(&failure),
                // Caused by this request's content or by another writer. The store works, so the circuit stays closed.
                Err(failure) => tracing::warn!(code = failure.code(), "a refused request cannot be logged"),
            }
        }
        match &self.spool_queue {
            Some(spool) => match spool.keep(spooled(raw, arrival.into())).await {
                Ok(()) => IngestError::Refused(error),
                Err(reason) => reason.into(),
            },
            None => NotKept::Unavailable.into(),
        }
    }
}
