//! The deadline of requests other than callbacks.
//!
//! Callbacks need none here: a timer for each would cost the hot path, and everything that they wait for has its own timeout: the
//! body (`listener`), the commit and the spool (`ingest`). For a streamed answer the deadline covers the head; each further part
//! has a timeout of its own.

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use tokio::time::timeout;

use super::{AppState, Problem, unanswered::Unanswered};

/// The layer of routes that have a deadline. We do not use the one of `tower_http`, which does not answer with a problem.
pub(super) async fn end(State(state): State<AppState>, request: Request, next: Next) -> Response {
    match timeout(state.request_timeout, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::from(Unanswered::Deadline).into_response(),
    }
}
