//! Liveness, which never depends on the database, and readiness, which says what is wrong.

use axum::{Json, extract::State};
use serde_json::{Value, json};

use super::{AppState, Problem, ProblemKind};

/// The process runs.
pub(super) async fn livez() -> Json<Value> {
    Json(json!({"status": "alive"}))
}

/// The store answers.
pub(super) async fn readyz(State(state): State<AppState>) -> Result<Json<Value>, Problem> {
    let store = state.store.kind();
    match state.store.ping().await {
        Ok(()) => Ok(Json(json!({"status": "ready", "store": store}))),
        Err(error) => {
            tracing::warn!(%error, store, "not ready");
            let detail = format!("the {store} store is unreachable");
            Err(Problem::new(ProblemKind::StoreUnavailable, detail).with("store", store))
        }
    }
}
