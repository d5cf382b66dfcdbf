//! The routes that Exotel calls: authenticate, read the body up to the limit, and hand the callback to `ingest`.

mod authenticate;
mod body;

use axum::{
    Json,
    extract::{Request, State},
    http::header,
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;

use self::{
    authenticate::{Callee, authenticate, callback_head, check_recipient},
    body::read_request,
};
use super::{
    AppState, Problem, ProblemKind,
    auth::UrlParams,
    extract::PathParams,
    openapi::shapes::{CallbackFields, CallbackRefusals},
    trace::RequestOutcome,
};
use crate::{
    domain::Source,
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
    let callee = Callee::find(state, account);
    let metrics = callee.known.map_or(&state.accounts.unknown.metrics, |known| &known.metrics);
    let accepted = keep(state, callee, token, request).await;
    let Accepted { sid, kept } = accepted.inspect_err(|problem| metrics.refused(problem.kind()))?;
    let status = kept.into();
    let mut response = Json(Taken { status, sid: sid.as_str() }).into_response();
    response.extensions_mut().insert(RequestOutcome(status));
    Ok(response)
}

/// The token or signature is checked before the body is read. `Ok` means that the callback is on disk.
async fn keep(
    state: &AppState,
    callee: Callee<'_>,
    token: Option<&str>,
    request: Request,
) -> Result<Accepted, Problem> {
    let received_at = state.clock.now();
    let (head, body) = request.into_parts();
    let shown = callback_head(state, &head, token);
    let authenticated = authenticate(state, callee, &shown, received_at)?;
    let known = authenticated.account;
    let raw = read_request(&head, body).await?;
    let arrival =
        Arrival { account: &known.account, source: Source::Callback, received_at, signed_for: None };
    let callback = state.ingest.read(raw, arrival).await?;
    let signed_for = check_recipient(state, &authenticated, shown.caller, &callback)?;
    let arrival = Arrival { signed_for: signed_for.as_deref(), ..arrival };
    let accepted = state.ingest.keep(callback, arrival).await?;
    known.metrics.accepted(accepted.kept, received_at);
    Ok(accepted)
}
