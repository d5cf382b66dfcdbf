//! The log of refused bodies.

use axum::{Json, extract::State};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use super::{
    AppState, Problem,
    extract::{PageParams, QueryParams},
};
use crate::storage::StoredRejection;

const LIST: &str = "rejected";

/// Refused bodies and why, newest first.
pub(super) async fn list(
    State(state): State<AppState>,
    QueryParams(params): QueryParams<PageParams>,
) -> Result<Json<Value>, Problem> {
    let page = params.page(LIST)?;
    let page = state.store.rejected(page, state.clock.now(), state.keep_rejected).await?;
    let items: Vec<Value> = page.items.into_iter().map(view).collect();
    Ok(Json(json!({"items": items, "next_cursor": page.next.map(|next| next.encode(LIST))})))
}

/// A body that is text as text, any other in base64.
fn view(rejection: StoredRejection) -> Value {
    let StoredRejection { id, received_at, account, content_type, reason, body } = rejection;
    let (body, body_encoding) = match String::from_utf8(body) {
        Ok(text) => (text, "text"),
        Err(bytes) => (BASE64_STANDARD.encode(bytes.as_bytes()), "base64"),
    };
    json!({
        "id": id,
        "received_at": received_at,
        "account": account,
        "content_type": content_type,
        "reason": reason,
        "body": body,
        "body_encoding": body_encoding,
    })
}
