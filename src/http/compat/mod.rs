//! Exotel's API, as far as we can answer it: tools that poll Exotel only change their base URL.
//!
//! Which error goes first, where several apply, is not said by Exotel; here it is the order in which a
//! request is understood:
//! 1. the URL's shape: its version, `/Accounts/`, the account's sid;
//! 2. the credentials: missing, of other characters, wrong;
//! 3. the account: another one than the credentials', inactive;
//! 4. the resource: missing, unknown;
//! 5. the limit of requests a minute (that of the caller's address goes before 2, and that of wrong
//!    credentials takes the place of 2's answer);
//! 6. the parameters, and what is asked for: not found.

mod call;
pub(super) mod described;
mod reader;
mod v1;
mod v2;

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderValue, Method, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
    routing::{MethodRouter, any},
};
use tokio::time::timeout;

use self::call::{ApiVersion, Call};
use super::{AppState, ProblemKind, auth::Caller, fallback, trace::RequestOutcome, unanswered::Unanswered};
use crate::exotel::{AnswerFormat, ApiError, Envelope};

/// Every path that may be of Exotel's API: its fixed parts have no fixed case, so they are read later.
pub(super) fn routes() -> Router<AppState> {
    let answer = || -> MethodRouter<AppState> { any(answer) };
    Router::new()
        .route("/v{version}", answer())
        .route("/v{version}/{*resource}", answer())
        .route("/V{version}", answer())
        .route("/V{version}/{*resource}", answer())
}

async fn answer(State(state): State<AppState>, request: Request) -> Response {
    let (head, _) = request.into_parts();
    let (method, uri) = (&head.method, &head.uri);
    let Some(call) = Call::of(uri.path()) else {
        return fallback::no_such_route().await.into_response();
    };
    if method != Method::GET && method != Method::HEAD {
        let problem = fallback::method_not_allowed().await;
        return problem.header(header::ALLOW, "GET,HEAD").into_response();
    }
    match timeout(state.request_timeout, reply(&state, &call, &head)).await {
        Ok(Ok(response)) => response,
        Ok(Err(error)) => refuse(&call, &error),
        Err(_) => refuse(&call, &failed(Unanswered::Deadline)),
    }
}

async fn reply(state: &AppState, call: &Call, head: &Parts) -> Result<Response, ApiError> {
    let asked = call.read()?;
    let (headers, query) = (&head.headers, head.uri.query().unwrap_or_default());
    let caller = Caller::of(&head.extensions, headers, &state.access.trusted_proxies);
    let known = reader::authenticate(state, asked.account_sid, &caller, headers)?;
    if call.version == ApiVersion::Second {
        return v2::details(state, known, asked.resource, query).await;
    }
    v1::details(state, known, asked.resource, call.format).await
}

/// An error in the shape of the version that was asked.
fn refuse(call: &Call, error: &ApiError) -> Response {
    let status = StatusCode::from_u16(error.status()).expect("the errors have statuses of HTTP");
    let (format, text) = match call.version {
        ApiVersion::Second => (AnswerFormat::Json, Envelope::failure(request_id(), error).write()),
        _ => (call.format, error.write(call.format)),
    };
    let mut response = (status, written(format, text)).into_response();
    let headers = response.headers_mut();
    match error {
        ApiError::CredentialsMissing | ApiError::Unauthorized => {
            let challenge = HeaderValue::from_static("Basic realm=\"dlr-receiver\", charset=\"UTF-8\"");
            headers.insert(header::WWW_AUTHENTICATE, challenge);
        }
        &ApiError::TooManyRequests { retry_after_s } => {
            headers.insert(header::RETRY_AFTER, retry_after_s.into());
        }
        ApiError::Unavailable | ApiError::TookTooLong => {
            headers.insert(header::RETRY_AFTER, 5.into());
        }
        ApiError::TooManyScans => {
            headers.insert(header::RETRY_AFTER, 1.into());
        }
        _ => {}
    }
    response.extensions_mut().insert(RequestOutcome(error.into()));
    response
}

/// An answer's text with its media type.
fn written(format: AnswerFormat, text: String) -> Response {
    ([(header::CONTENT_TYPE, format.content_type())], text).into_response()
}

/// What a request of the second version is told apart by: 32 hexadecimal digits.
fn request_id() -> String {
    let mut random = [0; 16];
    getrandom::fill(&mut random).expect("the operating system has random bytes");
    hex::encode(random)
}

/// A question without an answer, logged as everywhere.
fn failed(unanswered: impl Into<Unanswered>) -> ApiError {
    let unanswered = unanswered.into();
    unanswered.log();
    match unanswered.kind() {
        ProblemKind::TooManyScans => ApiError::TooManyScans,
        ProblemKind::TookTooLong => ApiError::TookTooLong,
        ProblemKind::QuestionRefused => {
            ApiError::BadParameter("the database refuses the question as it was asked".to_owned())
        }
        ProblemKind::StoreUnavailable => ApiError::Unavailable,
        _ => ApiError::Internal,
    }
}
