//! Lists of messages, newest first.

use axum::{Json, extract::State};
use serde_json::{Value, json};

use super::{filter::FilterReader, view::MessageView};
use crate::{
    http::{
        AppState, Problem,
        extract::{PageParams, QueryPairs},
    },
    storage::{MessageFilter, PageRequest},
};

const LIST: &str = "messages";

/// The messages that the filters ask for.
pub(crate) async fn list(
    State(state): State<AppState>,
    QueryPairs(pairs): QueryPairs,
) -> Result<Json<Value>, Problem> {
    let (filter, page) = read(&state, &pairs)?;
    let page = state.store.list(&filter, page).await?;
    let items: Vec<_> = page.items.iter().map(|message| MessageView::of(message, &state.table)).collect();
    Ok(Json(json!({"items": items, "next_cursor": page.next.map(|next| next.encode(LIST))})))
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
