//! Lists of messages, newest first.

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};

use super::{filter::FilterReader, filter_params::FilterParams};
use crate::{
    answers::{MessageView, MessagesView},
    http::{
        AppState, Problem,
        extract::{PageParams, QueryPairs},
        openapi::shapes::Refusals,
        pace::Reads,
    },
};

const LIST: &str = "messages";

/// Messages, newest first.
///
/// The filters are joined by "and", repeated values of one by "or". Labels of different names must all be there.
#[utoipa::path(
    get, path = "/messages", tag = "Messages",
    params(FilterParams, PageParams),
    responses((status = 200, description = "A page", body = MessagesView), Refusals),
)]
pub(crate) async fn list(
    State(state): State<AppState>,
    QueryPairs(pairs): QueryPairs,
) -> Result<Response, Problem> {
    let mut page = PageParams::default();
    let filter =
        FilterReader::read(&state, &pairs, &PageParams::PARAMETERS, |name, value| page.take(name, value))?;
    let page = page.page(LIST)?;
    let by_index = state.questions.store.finds_by_index(&filter);
    let reads = if by_index { Reads::rows(page.limit.into()) } else { Reads::Scan };
    let store = state.questions.store.clone();
    let page = state.questions.ask(reads, async move { store.list(&filter, page).await }).await?;
    let items = page.items.iter().map(|message| MessageView::of(message, &state.table)).collect();
    let next_cursor = page.next.map(|next| next.encode(LIST));
    Ok(Json(MessagesView { items, next_cursor }).into_response())
}
