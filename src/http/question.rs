//! Questions to the store: paced, so that they yield to callbacks, and bounded in number and time.

use std::{panic::resume_unwind, sync::Arc, time::Duration};

use tokio::time::timeout;
use tracing::Instrument;

use super::{
    pace::{QuestionPace, Reads},
    unanswered::Unanswered,
};
use crate::{
    ingest::Ingest,
    storage::{Store, StoreError},
};

/// How long a ping may take, where a question was not answered in time.
const PING: Duration = Duration::from_secs(2);

/// Asks the store.
#[derive(Debug)]
pub(super) struct Questions {
    pub store: Store,
    ingest: Ingest,
    pace: QuestionPace,
}

impl Questions {
    /// Questions to `store` that yield to the commits of `ingest`; so many `scans` at once.
    pub fn new(store: Store, ingest: Ingest, scans: usize) -> Self {
        Self { store, ingest, pace: QuestionPace::new(scans) }
    }

    /// Asks the store, as the class of what is read is paced.
    ///
    /// A scan runs to its end, or to the database's timeout, even after its client has gone: only then is there room for
    /// the next one.
    pub async fn ask<T: Send + 'static>(
        self: &Arc<Self>,
        reads: Reads,
        question: impl Future<Output = Result<T, StoreError>> + Send + 'static,
    ) -> Result<T, Unanswered> {
        let answer = match reads {
            Reads::Few | Reads::Many => self.paced(reads, question).await,
            Reads::Scan | Reads::RestOfScan => {
                let permit = self.pace.may_scan(reads).await.ok_or(Unanswered::TooManyScans)?;
                let questions = Arc::clone(self);
                let scan = async move {
                    let answer = questions.paced(reads, question).await;
                    drop(permit);
                    answer
                };
                match tokio::spawn(scan.in_current_span()).await {
                    Ok(answer) => answer,
                    Err(panicked) => resume_unwind(panicked.into_panic()),
                }
            }
        };
        match answer {
            Ok(answer) => Ok(answer),
            Err(error) => Err(self.why(error).await),
        }
    }

    /// Makes a step of a longer change, which yields to callbacks: it waits for the pause that the steps before it have
    /// made necessary, a second at most.
    pub async fn pace_step<T>(&self, step: impl Future<Output = T>) -> T {
        self.pace.steps.take(step, || self.ingest.is_committing()).await
    }

    async fn paced<T>(&self, reads: Reads, question: impl Future<Output = T>) -> T {
        self.pace.of(reads).take(question, || self.ingest.is_committing()).await
    }

    /// A question that times out is to blame itself where the store answers a ping.
    async fn why(&self, error: StoreError) -> Unanswered {
        let is_silent = matches!(error, StoreError::TimedOut(_)) && !self.ingest.store_fails();
        if is_silent && matches!(timeout(PING, self.store.ping()).await, Ok(Ok(()))) {
            return Unanswered::TookTooLong;
        }
        error.into()
    }
}
