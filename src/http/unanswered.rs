//! Why a question to the store has no answer.

use super::{ProblemKind, messages::Unwritten};
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
