//! What Exotel calls: who is it, how big is it, and then into the store.

use axum::{
    Json,
    body::Bytes,
    extract::{Request, State},
    http::{HeaderMap, HeaderName, Method, header},
    response::{IntoResponse, Response},
};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    AppState, MAX_BODY, Problem, ProblemKind,
    extract::PathParams,
    openapi::{CallbackFields, CallbackRefusals},
    state::KnownAccount,
    trace::RequestOutcome,
};
use crate::{exotel::RawRequest, ingest::Accepted};

/// What Exotel is told.
#[derive(Serialize, ToSchema)]
struct Taken<'a> {
    /// `recorded` in the store, or `spooled` until the store can take it. On disk either way.
    status: &'static str,
    /// The message.
    sid: &'a str,
}

/// A status callback.
///
/// The token, if any, is in the query string (`token`), in the path or in the Basic password. What else stands in the
/// query string is kept as labels.
#[utoipa::path(
    post, path = "/callbacks/exotel/{account}", tag = "Callbacks", security(()),
    params(("account" = String, Path, description = "The account", example = "default")),
    request_body(content((CallbackFields = "application/x-www-form-urlencoded"), (CallbackFields = "application/json"), (CallbackFields = "multipart/form-data"))),
    responses((status = 200, description = "It is on disk", body = Taken), CallbackRefusals),
)]
pub(super) async fn receive(
    State(state): State<AppState>,
    PathParams(account): PathParams<String>,
    request: Request,
) -> Result<Response, Problem> {
    take(&state, &account, None, request).await
}

/// A status callback as a query string.
///
/// What is no known field is a label.
#[utoipa::path(
    get, path = "/callbacks/exotel/{account}", tag = "Callbacks", security(()),
    params(("account" = String, Path, description = "The account", example = "default"), CallbackFields),
    responses((status = 200, description = "It is on disk", body = Taken), CallbackRefusals),
)]
#[expect(dead_code, reason = "only described: `receive` takes it")]
pub(super) fn receive_as_query() {}

/// A status callback as a query string, with the token in the path.
#[utoipa::path(
    get, path = "/callbacks/exotel/{account}/{token}", tag = "Callbacks", security(()),
    params(
        ("account" = String, Path, description = "The account", example = "default"),
        ("token" = String, Path, description = "One of its tokens"),
        CallbackFields,
    ),
    responses((status = 200, description = "It is on disk", body = Taken), CallbackRefusals),
)]
#[expect(dead_code, reason = "only described: `receive_with_token` takes it")]
pub(super) fn receive_with_token_as_query() {}

/// A status callback, with the token in the path.
#[utoipa::path(
    post, path = "/callbacks/exotel/{account}/{token}", tag = "Callbacks", security(()),
    params(
        ("account" = String, Path, description = "The account", example = "default"),
        ("token" = String, Path, description = "One of its tokens"),
    ),
    request_body(content((CallbackFields = "application/x-www-form-urlencoded"), (CallbackFields = "application/json"), (CallbackFields = "multipart/form-data"))),
    responses((status = 200, description = "It is on disk", body = Taken), CallbackRefusals),
)]
pub(super) async fn receive_with_token(
    State(state): State<AppState>,
    PathParams((account, token)): PathParams<(String, String)>,
    request: Request,
) -> Result<Response, Problem> {
    take(&state, &account, Some(&token), request).await
}

/// What Exotel never sends; a probe is no callback.
pub(super) async fn refuse_method() -> Problem {
    Problem::new(ProblemKind::MethodNotAllowed, "callbacks come as POST or GET")
        .header(header::ALLOW, "GET,POST")
}

/// Authentication comes before the body is read; 200 comes once the callback is on disk.
async fn take(
    state: &AppState,
    account: &str,
    token: Option<&str>,
    request: Request,
) -> Result<Response, Problem> {
    let known = find(state, account)?;
    let (head, body) = request.into_parts();
    let query = head.uri.query().unwrap_or_default();
    if !known.tokens.admit(token, query, &head.headers) {
        return Err(Problem::unauthorized("the callback URL needs one of the account's tokens"));
    }
    let received_at = state.clock.now();
    let raw = if head.method == Method::GET {
        RawRequest::Get { query: query.to_owned() }
    } else {
        let body = read_body(&head.headers, body).await?;
        let content_type = text(&head.headers, header::CONTENT_TYPE);
        let content_encoding = text(&head.headers, header::CONTENT_ENCODING);
        RawRequest::Post { content_type, content_encoding, query: query.to_owned(), body }
    };
    let Accepted { sid, kept } = state.ingest.accept(raw, &known.account, received_at).await?;
    let status = kept.into();
    let mut response = Json(Taken { status, sid: sid.as_str() }).into_response();
    response.extensions_mut().insert(RequestOutcome(status));
    Ok(response)
}

/// Account names are lower case; a URL may have been typed otherwise.
fn find<'s>(state: &'s AppState, account: &str) -> Result<&'s KnownAccount, Problem> {
    let known = state.accounts.get(account);
    known.or_else(|| state.accounts.get(account.to_ascii_lowercase().as_str())).ok_or_else(|| {
        Problem::new(ProblemKind::UnknownAccount, "the callback URL names an account that is not configured")
    })
}

/// A header as text; one that is no text is none of those that are taken.
fn text(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    Some(headers.get(name)?.to_str().unwrap_or("unreadable").to_owned())
}

async fn read_body(headers: &HeaderMap, body: axum::body::Body) -> Result<Bytes, Problem> {
    let too_large = || {
        Problem::new(ProblemKind::BodyTooLarge, format!("the body is larger than {MAX_BODY} bytes"))
            .with("max_bytes", MAX_BODY)
    };
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    if announced.is_some_and(|length: u64| length > MAX_BODY as u64) {
        return Err(too_large());
    }
    match Limited::new(body, MAX_BODY).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(too_large()),
        Err(_) => Err(Problem::new(ProblemKind::MalformedBody, "the body broke off")),
    }
}
