//! Questions to the store: paced, bounded, and told apart by why they have no answer.

use std::{panic::resume_unwind, time::Duration};

use tokio::time::timeout;
use tracing::Instrument;

use super::{AppState, ProblemKind, messages::Unwritten, pace::Reads};
use crate::storage::{QuestionFailure, StoreError};

/// Why a question has no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unanswered {
    /// As many scans run as may.
    #[error("as many scans run as limits.scans_at_once allows")]
    TooManyScans,
    /// The database works on it for longer than a question may take.
    #[error("the question took longer than database.timeout_ms")]
    TookTooLong,
    /// The request's deadline has passed.
    #[error("the request took longer than http.request_timeout_ms")]
    Deadline,
    /// What was read cannot be written.
    #[error(transparent)]
    Unwritten(#[from] Unwritten),
    /// The store does not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Unanswered {
    /// Which kind of problem it is.
    pub fn kind(&self) -> ProblemKind {
        match self {
            Self::TooManyScans => ProblemKind::TooManyScans,
            Self::TookTooLong | Self::Deadline => ProblemKind::TookTooLong,
            Self::Unwritten(_) => ProblemKind::Internal,
            Self::Store(error) => match error.question_failure() {
                QuestionFailure::Refused => ProblemKind::QuestionRefused,
                QuestionFailure::TookTooLong => ProblemKind::TookTooLong,
                QuestionFailure::Unreadable => ProblemKind::Internal,
                QuestionFailure::Outage => ProblemKind::StoreUnavailable,
            },
        }
    }

    /// Writes the log's line about it.
    pub fn log(&self) {
        let code = match self {
            Self::Store(error) => error.code().unwrap_or_default(),
            _ => String::new(),
        };
        match self.kind() {
            ProblemKind::StoreUnavailable => tracing::error!(error = %self, "the store does not do its work"),
            ProblemKind::Internal if matches!(self, Self::Unwritten(_)) => {
                tracing::error!(error = %self, "an answer cannot be written");
            }
            ProblemKind::Internal => {
                tracing::error!(error = %self, "the store holds what this version cannot read");
            }
            // The database's text may repeat what was asked.
            ProblemKind::QuestionRefused => tracing::warn!(code, "the database refuses a question"),
            ProblemKind::TookTooLong => tracing::warn!("a question took too long and was given up"),
            // One line for each of those who are turned away would be a flood; they are counted.
            _ => tracing::debug!(error = %self, "a question is turned away"),
        }
    }
}

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
