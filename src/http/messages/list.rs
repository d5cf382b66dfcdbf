//! Lists of messages, newest first.

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};

use super::{
    filter::FilterReader,
    filter_params::FilterParams,
    view::{MessageView, MessagesView},
};
use crate::{
    http::{
        AppState, Problem,
        extract::{PageParams, QueryPairs},
        openapi::Refusals,
    },
    storage::{MessageFilter, PageRequest},
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
    let (filter, page) = read(&state, &pairs)?;
    let page = state.store.list(&filter, page).await?;
    let items = page.items.iter().map(|message| MessageView::of(message, &state.table)).collect();
    let next_cursor = page.next.map(|next| next.encode(LIST));
    Ok(Json(MessagesView { items, next_cursor }).into_response())
}

fn read(state: &AppState, pairs: &[(String, String)]) -> Result<(MessageFilter, PageRequest), Problem> {
    let (mut filter, mut page) = (FilterReader::new(state), PageParams::default());
    for (name, value) in pairs {
        match name.as_str() {
            filters if FilterReader::PARAMETERS.contains(&filters) => filter.take(name, value)?,
            pages if PageParams::PARAMETERS.contains(&pages) => page.take(name, value)?,
            other => {
                let allowed = [&FilterReader::PARAMETERS[..], &PageParams::PARAMETERS].concat();
                return Err(Problem::unknown_parameter(other, &allowed));
            }
        }
    }
    Ok((filter.finish()?, page.page(LIST)?))
}
