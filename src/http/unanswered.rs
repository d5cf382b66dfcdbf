//! Why a question was not answered.

use super::{ProblemKind, messages::Unwritten};
use crate::storage::{QuestionFailure, StoreError};

/// Why a question was not answered.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unanswered {
    /// As many scans run as are allowed.
    #[error("as many scans run as limits.scans_at_once allows")]
    TooManyScans,
    /// The query exceeded its timeout.
    #[error("the question took longer than database.timeout_ms")]
    TookTooLong,
    /// The request exceeded its deadline.
    #[error("the request took longer than http.request_timeout_ms")]
    Deadline,
    /// The answer cannot be written.
    #[error(transparent)]
    Unwritten(#[from] Unwritten),
    /// The store failed.
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

    /// Logs it.
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
            // The database's error text may repeat values of the question.
            ProblemKind::QuestionRefused => tracing::warn!(code, "the database refuses a question"),
            ProblemKind::TookTooLong => tracing::warn!("a question took too long and was given up"),
            // A line for each refused scan would flood the log; they are counted instead.
            _ => tracing::debug!(error = %self, "a question is turned away"),
        }
    }
}
