//! Liveness, which never depends on the database, and readiness, which says what is wrong.

use axum::{Json, extract::State};
use serde::Serialize;
use utoipa::ToSchema;

use super::{AppState, Problem, ProblemKind, openapi::ProblemBody};

/// How the service is.
#[derive(Serialize, ToSchema)]
pub(super) struct Health {
    /// `alive`; `ready`, or `spooling` while the store cannot be reached.
    status: &'static str,
    /// The store: `postgres` or `sqlite`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    store: Option<&'static str>,
    /// What is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    detail: Option<String>,
}

/// The process runs.
#[utoipa::path(
    get, path = "/livez", tag = "Operation", security(()),
    responses((status = 200, description = "It runs", body = Health)),
)]
pub(super) async fn livez() -> Json<Health> {
    Json(Health { status: "alive", store: None, detail: None })
}

/// Callbacks are taken: the store answers, or the spool stands in for it. A store that is known to fail
/// is not asked, so that the answer comes at once.
#[utoipa::path(
    get, path = "/readyz", tag = "Operation", security(()),
    responses(
        (status = 200, description = "Callbacks are taken", body = Health),
        (status = 503, description = "They are not", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn readyz(State(state): State<AppState>) -> Result<Json<Health>, Problem> {
    let (store, ingest) = (state.store.kind(), &state.ingest);
    let answers = if ingest.store_fails() { false } else { pong(&state).await };
    if answers {
        return Ok(Json(Health { status: "ready", store: Some(store), detail: None }));
    }
    let detail = format!("the {store} store is unreachable");
    if ingest.has_spool() {
        return Ok(Json(Health { status: "spooling", store: Some(store), detail: Some(detail) }));
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
