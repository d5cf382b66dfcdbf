//! Prepares a database before it is used: during the start or, with a spool, after it.

use std::{fmt, time::Duration};

use futures_util::future::BoxFuture;
use tokio::time::{Instant, sleep, timeout};

use crate::storage::{Store, StoreError, Trouble};

/// How a database is prepared before it is used.
#[derive(Clone, Copy, Debug)]
pub struct Prepare {
    /// Whether it is migrated.
    pub migrate: bool,
}

/// A database that is not ready yet, and why.
#[derive(Debug)]
pub struct Unprepared {
    /// The preparation, to be continued.
    pub preparation: Preparation,
    /// Why it is not ready yet.
    pub error: StoreError,
}

/// A preparation that can be continued.
pub struct Preparation {
    prepare: Prepare,
    store: Store,
    /// The attempt under way, which continues where it was left.
    under_way: Option<BoxFuture<'static, Result<(), StoreError>>>,
}

/// How long the command `migrate`, and a start without a spool, wait for another session's locks: replicas that start together
/// migrate one after the other.
const LONGEST_LOCK: Duration = Duration::from_secs(12);
const PAUSE: Duration = Duration::from_millis(200);

impl Prepare {
    /// Checks the database, migrates it, and checks that it would commit a batch.
    ///
    /// # Errors
    /// [`StoreError`] where it does not answer, or cannot be used.
    pub async fn run(self, store: &Store) -> Result<(), StoreError> {
        store.check().await?;
        if self.migrate {
            store.migrate().await?;
        }
        store.try_writing().await
    }

    /// The same, retried for some seconds while another session holds a lock.
    ///
    /// # Errors
    /// The same.
    pub async fn run_in_turn(self, store: &Store) -> Result<(), StoreError> {
        let begun = Instant::now();
        loop {
            match self.run(store).await {
                Err(error) if error.trouble() == Trouble::Locked && begun.elapsed() < LONGEST_LOCK => {
                    tracing::debug!(%error, "waiting for another session");
                    sleep(PAUSE).await;
                }
                done => return done,
            }
        }
    }

    /// The same, for at most `longest`. If it is not done by then, the preparation is returned, to be continued later.
    ///
    /// # Errors
    /// [`StoreError`] where trying again is of no use.
    pub async fn begin(self, store: &Store, longest: Duration) -> Result<Option<Unprepared>, StoreError> {
        let mut preparation = Preparation { prepare: self, store: store.clone(), under_way: None };
        let error = match timeout(longest, preparation.go_on()).await {
            Ok(Ok(())) => return Ok(None),
            Ok(Err(error)) if error.ends_a_start() => return Err(error),
            Ok(Err(error)) => error,
            Err(_) => StoreError::TimedOut(longest),
        };
        Ok(Some(Unprepared { preparation, error }))
    }

    /// A preparation that begins later.
    #[must_use]
    pub fn later(self, store: &Store, error: StoreError) -> Unprepared {
        Unprepared {
            preparation: Preparation { prepare: self, store: store.clone(), under_way: None },
            error,
        }
    }
}

impl Preparation {
    /// Continues the attempt under way, or begins another one. May be dropped; the next call continues.
    pub(super) async fn go_on(&mut self) -> Result<(), StoreError> {
        let (prepare, store) = (self.prepare, &self.store);
        let under_way = self.under_way.get_or_insert_with(|| {
            let store = store.clone();
            Box::pin(async move { prepare.run(&store).await })
        });
        let done = under_way.await;
        self.under_way = None;
        done
    }
}

impl fmt::Debug for Preparation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let begun = self.under_way.is_some();
        formatter
            .debug_struct("Preparation")
            .field("prepare", &self.prepare)
            .field("begun", &begun)
            .finish_non_exhaustive()
    }
}
