//! Liveness, which never depends on the database, and readiness, which says what is wrong.

use axum::{Json, extract::State};
use serde_json::{Value, json};

use super::{AppState, Problem, ProblemKind};

/// The process runs.
pub(super) async fn livez() -> Json<Value> {
    Json(json!({"status": "alive"}))
}

/// Callbacks are taken: the store answers, or the spool stands in for it. A store that is known to fail
/// is not asked, so that the answer comes at once.
pub(super) async fn readyz(State(state): State<AppState>) -> Result<Json<Value>, Problem> {
    let (store, ingest) = (state.store.kind(), &state.ingest);
    let answers = if ingest.store_fails() { false } else { pong(&state).await };
    if answers {
        return Ok(Json(json!({"status": "ready", "store": store})));
    }
    let detail = format!("the {store} store is unreachable");
    if ingest.has_spool() {
        return Ok(Json(json!({"status": "spooling", "store": store, "detail": detail})));
    }
    Err(Problem::new(ProblemKind::StoreUnavailable, detail).with("store", store))
}

async fn pong(state: &AppState) -> bool {
    let answer = state.store.ping().await;
    if let Err(error) = &answer {
        tracing::warn!(%error, store = state.store.kind(), "not ready");
    }
    answer.is_ok()
}
