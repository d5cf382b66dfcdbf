//! The log of refused bodies.

use axum::{Json, extract::State};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    AppState, Problem,
    extract::{PageParams, QueryParams},
    openapi::shapes::Refusals,
};
use crate::{domain::Time, storage::StoredRejection};

const LIST: &str = "rejected";

/// A page of refused bodies.
#[derive(Serialize, ToSchema)]
#[schema(as = Rejected)]
pub(super) struct RejectedView {
    /// The bodies, newest first.
    items: Vec<RejectionView>,
    /// What to ask for as `cursor` to go on; null at the end.
    next_cursor: Option<String>,
}

/// A refused body, and why.
#[derive(Serialize, ToSchema)]
#[schema(as = Rejection)]
struct RejectionView {
    /// Its place in the log.
    id: i64,
    /// When it came.
    #[schema(value_type = String, format = DateTime)]
    received_at: Time,
    /// Whose URL was called.
    account: String,
    /// What it said it was.
    content_type: Option<String>,
    /// What was wrong with it.
    reason: String,
    /// Its bytes, as text or in base64.
    body: String,
    /// Which of them: `text` or `base64`.
    body_encoding: &'static str,
}

/// Refused bodies and why, newest first.
#[utoipa::path(
    get, path = "/rejected", tag = "Callbacks",
    params(PageParams),
    responses((status = 200, description = "A page", body = RejectedView), Refusals),
)]
pub(super) async fn list(
    State(state): State<AppState>,
    QueryParams(params): QueryParams<PageParams>,
) -> Result<Json<RejectedView>, Problem> {
    let page = params.page(LIST)?;
    let page = state.questions.store.rejected(page, state.clock.now(), state.operation.keep_rejected).await?;
    let items = page.items.into_iter().map(view).collect();
    Ok(Json(RejectedView { items, next_cursor: page.next.map(|next| next.encode(LIST)) }))
}

/// A body that is UTF-8 as text, any other in base64.
fn view(rejection: StoredRejection) -> RejectionView {
    let StoredRejection { id, received_at, account, content_type, reason, body } = rejection;
    let (body, body_encoding) = match String::from_utf8(body) {
        Ok(text) => (text, "text"),
        Err(bytes) => (BASE64_STANDARD.encode(bytes.as_bytes()), "base64"),
    };
    RejectionView { id, received_at, account, content_type, reason, body, body_encoding }
}
