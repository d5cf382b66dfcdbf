//! Errors as RFC 9457 problems (`application/problem+json`). None carries internal text.

use std::io;

use axum::{
    Json,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value};

use super::{ProblemKind, trace::RequestOutcome};

/// A problem: what went wrong, for programs and for people.
#[derive(Debug)]
pub struct Problem {
    kind: ProblemKind,
    status: StatusCode,
    members: Map<String, Value>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Problem {
    /// A problem of a kind; `detail` says what is wrong this time.
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
        self.headers.push((name, HeaderValue::from_static(value)));
        self
    }

    /// Which kind it is.
    pub(super) fn kind(&self) -> ProblemKind {
        self.kind
    }

    /// The rate limit is exceeded; the next request may come in so many seconds.
    pub(super) fn too_many(detail: &str, retry_after_s: u64) -> Self {
        let mut problem = Self::new(ProblemKind::TooManyRequests, detail);
        problem.headers.push((header::RETRY_AFTER, retry_after_s.into()));
        problem
    }

    /// A token or key is missing or wrong.
    pub(super) fn unauthorized(detail: &str) -> Self {
        Self::of_unauthorized(ProblemKind::Unauthorized, detail)
    }

    /// A problem of a kind that is answered with 401.
    pub(super) fn of_unauthorized(kind: ProblemKind, detail: &str) -> Self {
        Self::new(kind, detail)
            .header(header::WWW_AUTHENTICATE, "Bearer realm=\"dlr-receiver\"")
            .header(header::WWW_AUTHENTICATE, "Basic realm=\"dlr-receiver\", charset=\"UTF-8\"")
    }

    /// A parameter of the question is wrong.
    pub(super) fn parameter(name: &str, fault: impl std::fmt::Display) -> Self {
        Self::new(ProblemKind::InvalidParameter, format!("`{name}`: {fault}")).with("parameter", name)
    }

    /// The value of a parameter is none of the allowed words.
    pub(super) fn word(name: &str, allowed: &[&str]) -> Self {
        Self::parameter(name, format!("must be one of {}", allowed.join(", "))).with("allowed", allowed)
    }

    /// An unknown parameter.
    pub(super) fn unknown_parameter(name: &str, allowed: &[&str]) -> Self {
        let name: String = name.chars().take(40).collect();
        Self::parameter(&name, format!("is no parameter here; there are {}", allowed.join(", ")))
            .with("allowed", allowed)
    }

    /// The body ended early or came too slowly.
    pub(super) fn broken_off(error: &(dyn std::error::Error + 'static)) -> Self {
        let mut causes = std::iter::successors(Some(error), |error| error.source());
        // The listener reports a slow body by this error, which other layers wrap.
        let is_slow = |cause: &(dyn std::error::Error + 'static)| {
            cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::TimedOut)
        };
        if causes.any(is_slow) {
            Self::new(ProblemKind::BodyTooSlow, "the body did not come in time")
        } else {
            Self::new(ProblemKind::MalformedBody, "the body broke off")
        }
    }

    /// Neither the database nor the spool can be used now.
    pub(super) fn unavailable(detail: &str) -> Self {
        Self::new(ProblemKind::StoreUnavailable, detail).header(header::RETRY_AFTER, "5")
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(Value::Object(self.members))).into_response();
        let headers = response.headers_mut();
        for (name, value) in self.headers {
            headers.append(name, value);
        }
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        response.extensions_mut().insert(RequestOutcome(self.kind.into()));
        response
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
