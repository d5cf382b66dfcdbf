//! Errors as RFC 9457 problems (`application/problem+json`). None carries internal text.

use axum::{
    Json,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value};

use super::trace::RequestOutcome;
use crate::{exotel::CallbackError, ingest::IngestError, storage::StoreError};

/// The kinds of problems. Their words are stable: programs may decide by `type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum ProblemKind {
    /// The same sid was reported for several accounts.
    AmbiguousSid,
    /// The database refuses what the callback holds.
    CannotBeStored,
    /// The service failed.
    Internal,
    /// A parameter of the question is wrong.
    InvalidParameter,
    /// The body is not what its content type says.
    MalformedBody,
    /// The key's scopes do not suffice.
    MissingScope,
    /// The method is none of the route's.
    MethodNotAllowed,
    /// The body is too large.
    BodyTooLarge,
    /// The fields are no status callback.
    NotAStatusCallback,
    /// Too many callbacks wait already.
    Overloaded,
    /// No store can take it, or answer, now.
    StoreUnavailable,
    /// A token or key is missing or wrong.
    Unauthorized,
    /// No such account.
    UnknownAccount,
    /// No message has this sid.
    UnknownSid,
    /// No such route.
    UnknownRoute,
    /// The code stands in no table.
    UnknownStatusCode,
    /// A content type or encoding that is not taken.
    UnsupportedMediaType,
}

impl ProblemKind {
    fn status_and_title(self) -> (StatusCode, &'static str) {
        match self {
            Self::AmbiguousSid => (StatusCode::CONFLICT, "Several accounts have this sid"),
            Self::BodyTooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "Body too large"),
            Self::CannotBeStored => (StatusCode::UNPROCESSABLE_ENTITY, "Cannot be stored"),
            Self::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "Internal error"),
            Self::InvalidParameter => (StatusCode::BAD_REQUEST, "Invalid parameter"),
            Self::MalformedBody => (StatusCode::UNPROCESSABLE_ENTITY, "Malformed body"),
            Self::MethodNotAllowed => (StatusCode::METHOD_NOT_ALLOWED, "Method not allowed"),
            Self::MissingScope => (StatusCode::FORBIDDEN, "Missing scope"),
            Self::NotAStatusCallback => (StatusCode::UNPROCESSABLE_ENTITY, "Not a status callback"),
            Self::Overloaded => (StatusCode::SERVICE_UNAVAILABLE, "Overloaded"),
            Self::StoreUnavailable => (StatusCode::SERVICE_UNAVAILABLE, "Store unavailable"),
            Self::Unauthorized => (StatusCode::UNAUTHORIZED, "Unauthorized"),
            Self::UnknownAccount => (StatusCode::NOT_FOUND, "Unknown account"),
            Self::UnknownRoute => (StatusCode::NOT_FOUND, "Unknown route"),
            Self::UnknownSid => (StatusCode::NOT_FOUND, "Unknown sid"),
            Self::UnknownStatusCode => (StatusCode::NOT_FOUND, "Unknown status code"),
            Self::UnsupportedMediaType => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "Unsupported media type"),
        }
    }
}

/// A problem: what went wrong, for programs and for people.
#[derive(Debug)]
pub struct Problem {
    kind: ProblemKind,
    status: StatusCode,
    members: Map<String, Value>,
    headers: Vec<(HeaderName, &'static str)>,
}

impl Problem {
    /// A problem of a kind, with what is to be said about this one.
    #[must_use]
    pub fn new(kind: ProblemKind, detail: impl Into<String>) -> Self {
        let (status, title) = kind.status_and_title();
        let mut members = Map::new();
        members.insert("type".into(), format!("urn:dlr-receiver:problem:{}", <&str>::from(kind)).into());
        members.insert("title".into(), title.into());
        members.insert("status".into(), status.as_u16().into());
        members.insert("detail".into(), detail.into().into());
        Self { kind, status, members, headers: Vec::new() }
    }

    /// Adds a member of its own.
    #[must_use]
    pub fn with(mut self, member: &str, value: impl Into<Value>) -> Self {
        self.members.insert(member.into(), value.into());
        self
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: &'static str) -> Self {
        self.headers.push((name, value));
        self
    }

    /// A token or key is missing or wrong.
    pub(super) fn unauthorized(detail: &str) -> Self {
        Self::new(ProblemKind::Unauthorized, detail)
            .header(header::WWW_AUTHENTICATE, "Bearer realm=\"dlr-receiver\"")
            .header(header::WWW_AUTHENTICATE, "Basic realm=\"dlr-receiver\", charset=\"UTF-8\"")
    }

    /// A parameter of the question is wrong.
    pub(super) fn parameter(name: &str, fault: impl std::fmt::Display) -> Self {
        Self::new(ProblemKind::InvalidParameter, format!("`{name}`: {fault}")).with("parameter", name)
    }

    /// The store is out of reach. Logged here, once; the caller learns nothing but that.
    pub(super) fn store(error: &StoreError) -> Self {
        tracing::error!(%error, "the store does not do its work");
        Self::unavailable()
    }

    fn unavailable() -> Self {
        Self::new(ProblemKind::StoreUnavailable, "the store cannot be reached now; try again later")
            .header(header::RETRY_AFTER, "5")
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(Value::Object(self.members))).into_response();
        let headers = response.headers_mut();
        for (name, value) in self.headers {
            headers.append(name, HeaderValue::from_static(value));
        }
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        response.extensions_mut().insert(RequestOutcome(self.kind.into()));
        response
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Word { .. } | StoreError::Receipt { .. } | StoreError::Json(_) => {
                tracing::error!(%error, "the store holds what this version cannot read");
                Self::new(ProblemKind::Internal, "the answer cannot be read from the store")
            }
            error => Self::store(&error),
        }
    }
}

impl From<IngestError> for Problem {
    fn from(error: IngestError) -> Self {
        match error {
            IngestError::Refused(error) => error.into(),
            IngestError::RefusedByStore => Self::new(
                ProblemKind::CannotBeStored,
                "the database refuses what this callback holds; it is kept in the log of refused bodies",
            ),
            IngestError::QueueFull => {
                Self::new(ProblemKind::Overloaded, "too many callbacks wait to be stored; try again later")
                    .header(header::RETRY_AFTER, "1")
            }
            IngestError::Unavailable => Self::unavailable(),
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
            CallbackError::Malformed { .. } => Self::new(ProblemKind::MalformedBody, detail),
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_problem_names_its_type_title_status_and_detail() {
        let problem = Problem::parameter("limit", "must be 1 to 500");
        let expected = json!({
            "type": "urn:dlr-receiver:problem:invalid_parameter",
            "title": "Invalid parameter",
            "status": 400,
            "detail": "`limit`: must be 1 to 500",
            "parameter": "limit",
        });
        assert_eq!(Value::Object(problem.members.clone()), expected);
        let response = problem.into_response();
        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/problem+json");
    }
}
