//! The result of keeping a callback, which group commit and spool give to whoever waits.

use tokio::sync::oneshot;

/// Where a callback is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Kept {
    /// Committed to the database.
    Recorded,
    /// Synced to the spool, until the database can take it.
    Spooled,
}

/// Why a callback is not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotKept {
    /// The store refuses what it holds; its bytes and the reason are in the log of refused bodies.
    #[error("the store refuses it")]
    RefusedByStore,
    /// Too many callbacks wait already.
    #[error("too many callbacks wait")]
    QueueFull,
    /// Neither the store nor the spool can take it.
    #[error("neither the store nor the spool can take it")]
    Unavailable,
}

/// Gives the result to the request that waits for it.
pub(super) type Ticket = oneshot::Sender<Result<Kept, NotKept>>;

/// Gives a result to all who wait.
pub(super) fn answer(tickets: impl IntoIterator<Item = Ticket>, answer: Result<Kept, NotKept>) {
    for ticket in tickets {
        // The receiver may be gone. What was done for it stays done.
        let _ = ticket.send(answer);
    }
}
