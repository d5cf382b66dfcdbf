//! Questions to the store: paced and bounded.

use std::{panic::resume_unwind, time::Duration};

use tokio::time::timeout;
use tracing::Instrument;

use super::{AppState, pace::Reads, unanswered::Unanswered};
use crate::storage::StoreError;

/// How long a store may take to show that it is well, where a question has no answer.
const PING: Duration = Duration::from_secs(2);

impl AppState {
    /// Asks the store, as the class of what is read is paced.
    ///
    /// A scan runs to its end, or to the database's timeout, even where whoever asked has gone: only then is there room
    /// for the next one.
    pub(super) async fn ask<T: Send + 'static>(
        &self,
        reads: Reads,
        question: impl Future<Output = Result<T, StoreError>> + Send + 'static,
    ) -> Result<T, Unanswered> {
        let answer = match reads {
            Reads::Few | Reads::Many => self.paced(reads, question).await,
            Reads::Scan | Reads::RestOfScan => {
                let permit = self.pace.may_scan(reads).await.ok_or(Unanswered::TooManyScans)?;
                let state = self.clone();
                let scan = async move {
                    let answer = state.paced(reads, question).await;
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

    async fn paced<T>(&self, reads: Reads, question: impl Future<Output = T>) -> T {
        self.pace.of(reads).take(question, || self.ingest.is_committing()).await
    }

    /// Silence for as long as a question may take is the question's fault where the store answers others.
    async fn why(&self, error: StoreError) -> Unanswered {
        let is_silent = matches!(error, StoreError::TimedOut(_)) && !self.ingest.store_fails();
        if is_silent && matches!(timeout(PING, self.store.ping()).await, Ok(Ok(()))) {
            return Unanswered::TookTooLong;
        }
        error.into()
    }
}
