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
    admission::{admit, admit_for, call, find},
    auth::UrlParams,
    extract::PathParams,
    openapi::shapes::{CallbackFields, CallbackRefusals},
    state::KnownAccount,
    trace::RequestOutcome,
};
use crate::{
    exotel::RawRequest,
    ingest::{Accepted, Arrival},
};

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
/// The token, if any, is in the query string (`token`), in the path or in the Basic password. In its place, a signature
/// opens the URL for one recipient. What else stands in the query string is kept as labels.
#[utoipa::path(
    post, path = "/callbacks/exotel/{account}", tag = "Callbacks", security(()),
    params(("account" = String, Path, description = "The account", example = "default"), UrlParams),
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
    params(("account" = String, Path, description = "The account", example = "default"), CallbackFields, UrlParams),
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

/// Takes a callback, counts it, and says what became of it.
async fn take(
    state: &AppState,
    account: &str,
    token: Option<&str>,
    request: Request,
) -> Result<Response, Problem> {
    let known = find(state, account);
    let metrics = known.map_or(&state.unknown, |known| &known.metrics);
    let accepted = keep(state, (account, known), token, request).await;
    let Accepted { sid, kept } = accepted.inspect_err(|problem| metrics.refused(problem.kind()))?;
    let status = kept.into();
    let mut response = Json(Taken { status, sid: sid.as_str() }).into_response();
    response.extensions_mut().insert(RequestOutcome(status));
    Ok(response)
}

/// Authentication comes before the body is read; it ends once the callback is on disk.
async fn keep(
    state: &AppState,
    (account, known): (&str, Option<&KnownAccount>),
    token: Option<&str>,
    request: Request,
) -> Result<Accepted, Problem> {
    let received_at = state.clock.now();
    let (head, body) = request.into_parts();
    let (known, signed_for) = admit(state, (account, known), &call(state, &head, token), received_at)?;
    let query = head.uri.query().unwrap_or_default().to_owned();
    let raw = if head.method == Method::GET {
        RawRequest::Get { query }
    } else {
        let body = read_body(&head.headers, body).await?;
        let content_type = text(&head.headers, header::CONTENT_TYPE);
        let content_encoding = texts(&head.headers, header::CONTENT_ENCODING);
        RawRequest::Post { content_type, content_encoding, query, body }
    };
    let signed_for = match signed_for {
        Some(signed_for) => admit_for(state, known, &signed_for, (&raw, call(state, &head, token).caller))?,
        None => None,
    };
    let arrival = Arrival { account: &known.account, received_at, signed_for: signed_for.as_deref() };
    let accepted = state.ingest.accept(raw, arrival).await?;
    known.metrics.accepted(accepted.kept, received_at);
    Ok(accepted)
}

/// A header as text; one that is no text is none of those that are taken.
fn text(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    Some(headers.get(name)?.to_str().unwrap_or("unreadable").to_owned())
}

/// All headers of a name as one text, as HTTP joins them.
fn texts(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    let mut each = headers.get_all(name).iter().map(|value| value.to_str().unwrap_or("unreadable"));
    let first = each.next()?.to_owned();
    Some(each.fold(first, |joined, value| joined + ", " + value))
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
        Err(error) => Err(Problem::broken_off(&*error)),
    }
}
