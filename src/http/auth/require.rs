//! The layer that requires an API key with a scope.

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::Caller;
use crate::http::{AppState, Problem, ProblemKind, Scope};

/// The scope that routes require of an API key.
#[derive(Clone, Debug)]
pub(in crate::http) struct Required {
    pub state: AppState,
    pub scope: Scope,
}

/// Passes requests with an API key that has the scope, within the caller's rate limit.
pub(in crate::http) async fn require(
    State(required): State<Required>,
    request: Request,
    next: Next,
) -> Response {
    match authorise(&required, &request) {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

fn authorise(Required { state, scope }: &Required, request: &Request) -> Result<(), Problem> {
    let caller = Caller::of(request.extensions(), request.headers(), &state.access.trusted_proxies);
    state
        .access
        .limits
        .count_question(&caller)
        .map_err(|retry_after_s| Problem::too_many("too many questions from this address", retry_after_s))?;
    let authorised = state.access.api_keys.authorise(request.headers(), *scope);
    authorised.map_err(|problem| match problem.kind() {
        ProblemKind::Unauthorized => state.access.limits.refuse(&caller, problem),
        _ => problem,
    })
}
