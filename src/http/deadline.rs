//! The deadline of requests other than callbacks.
//!
//! Callbacks have none of their own here: a timer for each would cost the hot path, and what they wait for has deadlines:
//! the body (`listener`), the commit and the spool (`ingest`). Of an answer that is streamed, the deadline ends with its
//! head; each further part has one of its own.

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use tokio::time::timeout;

use super::{AppState, Problem, unanswered::Unanswered};

/// The layer of the routes that have a deadline. Not `tower_http`'s, whose answer is no problem.
pub(super) async fn end(State(state): State<AppState>, request: Request, next: Next) -> Response {
    match timeout(state.request_timeout, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::from(Unanswered::Deadline).into_response(),
    }
}
