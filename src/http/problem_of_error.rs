//! Turns errors of the layers below into problems.

use axum::http::header;

use super::{Problem, ProblemKind, unanswered::Unanswered};
use crate::{
    exotel::CallbackError,
    ingest::{IngestError, NotKept},
    storage::StoreError,
};

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        Unanswered::from(error).into()
    }
}

/// The error is logged here, once. The caller learns its kind only.
impl From<Unanswered> for Problem {
    fn from(unanswered: Unanswered) -> Self {
        unanswered.log();
        match unanswered.kind() {
            kind @ ProblemKind::TooManyScans => {
                let detail =
                    "as many questions that read much are being answered as may be at once; ask again";
                Self::new(kind, detail).header(header::RETRY_AFTER, "1")
            }
            kind @ ProblemKind::TookTooLong => {
                let detail = "the answer took too long; narrow the question, or ask again later";
                Self::new(kind, detail).header(header::RETRY_AFTER, "5")
            }
            kind @ ProblemKind::QuestionRefused => Self::new(
                kind,
                "the database refuses the question as it was asked; ask for less, or otherwise",
            ),
            kind @ ProblemKind::Internal => Self::new(kind, "the answer cannot be read from the store"),
            _ => Self::unavailable("the store cannot be reached now; try again later"),
        }
    }
}

impl From<IngestError> for Problem {
    fn from(error: IngestError) -> Self {
        match error {
            IngestError::Refused(error) => error.into(),
            IngestError::NotKept(reason) => reason.into(),
        }
    }
}

impl From<NotKept> for Problem {
    fn from(reason: NotKept) -> Self {
        match reason {
            NotKept::RefusedByStore => Self::new(
                ProblemKind::CannotBeStored,
                "the database refuses what this callback holds; it is kept in the log of refused bodies",
            ),
            NotKept::QueueFull => {
                Self::new(ProblemKind::Overloaded, "too many callbacks wait to be stored; try again later")
                    .header(header::RETRY_AFTER, "1")
            }
            NotKept::Unavailable => {
                Self::unavailable("neither the store nor the spool can take it now; try again later")
            }
        }
    }
}

impl From<CallbackError> for Problem {
    fn from(error: CallbackError) -> Self {
        let detail = error.to_string();
        match error {
            CallbackError::ContentType(_) => Self::new(ProblemKind::UnsupportedMediaType, detail),
            CallbackError::ContentEncoding(_) => Self::new(ProblemKind::UnsupportedMediaType, detail)
                .header(header::ACCEPT_ENCODING, "identity"),
            CallbackError::Malformed { .. } | CallbackError::List { .. } => {
                Self::new(ProblemKind::MalformedBody, detail)
            }
            CallbackError::NotAStatusCallback { reason, received, resembles } => {
                let problem = Self::new(ProblemKind::NotAStatusCallback, detail)
                    .with("missing", reason.missing())
                    .with("received", received);
                match resembles {
                    Some(other) => problem.with("resembles", other),
                    None => problem,
                }
            }
        }
    }
}
