//! Where callbacks go that the store cannot take: to the spool, or back to the sender.

use std::{fmt, future::pending, time::Duration};

use futures_util::future::BoxFuture;
use tokio::time::{sleep, timeout};

use super::{
    circuit::Circuit,
    commit::Uncommitted,
    kept::{NotKept, Ticket, answer},
    spool::SpoolQueue,
    spooled::{SpooledArrival, spooled},
};
use crate::storage::Store;

/// How long a commit may take before the store is pinged, and how long a ping may take.
pub(super) const STALL: Duration = Duration::from_millis(100);

/// Where callbacks go that the store cannot take.
pub(super) struct Overflow {
    pub circuit: Circuit,
    pub spool: Option<SpoolQueue>,
    pub ping: Ping,
}

/// Asks the store for an answer, however small. Returns whether there was one.
pub(super) type Ping = Box<dyn Fn() -> BoxFuture<'static, bool> + Send + Sync>;

/// Pings a store.
pub(super) fn ping(store: Store) -> Ping {
    Box::new(move || {
        let store = store.clone();
        Box::pin(async move { store.ping().await.is_ok() })
    })
}

impl Overflow {
    /// Waits until the store does not answer a ping. Never returns where there is no spool to turn to.
    pub async fn store_hangs(&self) {
        if self.spool.is_none() {
            pending::<()>().await;
        }
        let mut answers = true;
        while answers {
            sleep(STALL).await;
            answers = timeout(STALL, (self.ping)()).await.unwrap_or(false);
        }
    }

    /// Hands a batch to the spool, which answers those who wait. Where there is none they are answered at once.
    pub async fn spool(&self, batch: Vec<Uncommitted<Ticket>>) {
        for Uncommitted { receipt, raw, ticket } in batch {
            match &self.spool {
                Some(spool) => {
                    spool.push(spooled(raw, SpooledArrival::of(&receipt)), ticket).await;
                }
                None => answer([ticket], Err(NotKept::Unavailable)),
            }
        }
    }
}

impl fmt::Debug for Overflow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Overflow").field("circuit", &self.circuit).finish_non_exhaustive()
    }
}
