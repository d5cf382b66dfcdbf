//! The layer that lets only those ask who may.

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::Caller;
use crate::http::{AppState, Problem, ProblemKind, Scope};

/// Lets only keys with the scope pass.
pub(in crate::http) async fn require(
    State((state, scope)): State<(AppState, Scope)>,
    request: Request,
    next: Next,
) -> Response {
    match admit(&state, &request, scope) {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

/// Whether this question may be asked, and now.
fn admit(state: &AppState, request: &Request, scope: Scope) -> Result<(), Problem> {
    let caller = Caller::of(request.extensions(), request.headers(), &state.trusted_proxies);
    state
        .limits
        .count_question(&caller)
        .map_err(|retry_after_s| Problem::too_many("too many questions from this address", retry_after_s))?;
    let admitted = state.api_keys.admit(request.headers(), scope);
    admitted.map_err(|problem| match problem.kind() {
        ProblemKind::Unauthorized => state.limits.refuse(&caller, problem),
        _ => problem,
    })
}
