//! Liveness, which never depends on the database, and readiness, which reports what is wrong.

use axum::{Json, extract::State};
use serde::Serialize;
use utoipa::ToSchema;

use super::{AppState, Problem, ProblemKind, openapi::shapes::ProblemBody};
use crate::storage::{SetAside, Trouble};

/// How the service is.
#[derive(Serialize, ToSchema)]
pub(super) struct Health {
    /// `alive`; `ready`, or `spooling` while the store does not take callbacks.
    status: &'static str,
    /// The store: `postgres` or `sqlite`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    store: Option<&'static str>,
    /// What is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    detail: Option<String>,
    /// Damaged files of the spool that were set aside, by name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    damaged_spool_files: Vec<String>,
    /// How many acknowledged callbacks these may have lost, at most; null where that is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[expect(clippy::option_option, reason = "left out where no file is damaged, null where nothing tells")]
    callbacks_missing: Option<Option<u64>>,
}

impl Health {
    fn new(status: &'static str, store: Option<&'static str>, details: &[String]) -> Self {
        let detail = Some(details.join("; ")).filter(|detail| !detail.is_empty());
        Self { status, store, detail, damaged_spool_files: Vec::new(), callbacks_missing: None }
    }

    fn with_set_aside(mut self, files: &[SetAside]) -> Self {
        if !files.is_empty() {
            self.damaged_spool_files = files.iter().map(SetAside::name).collect();
            self.callbacks_missing = Some(missing(files));
        }
        self
    }
}

/// How many callbacks may be missing in all set-aside files; none where that is unknown of one of them.
fn missing(files: &[SetAside]) -> Option<u64> {
    files.iter().map(|file| file.findings?.missing).sum()
}

/// What readiness reports of set-aside files.
fn told(files: &[SetAside]) -> Option<String> {
    let names = files.iter().map(SetAside::name).collect::<Vec<_>>().join(", ");
    let how_many = match missing(files) {
        Some(missing) => format!("up to {missing}"),
        None => "an unknown number of".to_owned(),
    };
    (!files.is_empty()).then(|| {
        format!(
            "a damaged spool file was set aside ({names}): {how_many} callbacks that were acknowledged may be missing"
        )
    })
}

/// The process runs.
#[utoipa::path(
    get, path = "/livez", tag = "Operation", security(()),
    responses((status = 200, description = "It runs", body = Health)),
)]
pub(super) async fn livez() -> Json<Health> {
    Json(Health::new("alive", None, &[]))
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
    let (store, ingest) = (state.questions.store.kind(), &state.ingest);
    let set_aside = ingest.set_aside();
    let mut details: Vec<String> = told(&set_aside).into_iter().collect();
    details.extend(
        state
            .questions
            .store
            .damage()
            .map(|damage| format!("the {store} store is damaged ({damage}): run `dlr-receiver check`")),
    );
    let trouble = match ingest.trouble() {
        None => trouble(&state).await,
        known => known,
    };
    let Some(trouble) = trouble else {
        return Ok(Json(Health::new("ready", Some(store), &details).with_set_aside(&set_aside)));
    };
    details.insert(0, format!("the {store} database {}", trouble.text()));
    if ingest.has_spool() {
        return Ok(Json(Health::new("spooling", Some(store), &details).with_set_aside(&set_aside)));
    }
    Err(Problem::new(ProblemKind::StoreUnavailable, details.join("; ")).with("store", store))
}

/// Pings the store, and describes what is wrong.
async fn trouble(state: &AppState) -> Option<Trouble> {
    let error = state.questions.store.ping().await.err()?;
    tracing::warn!(%error, store = state.questions.store.kind(), "not ready");
    Some(error.trouble())
}
