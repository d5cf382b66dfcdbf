//! Questions about messages: one, many at once, lists.

mod cells;
mod csv_rows;
pub(super) mod export;
pub(super) mod export_format;
mod filter;
mod filter_params;
mod filter_values;
pub(super) mod list;
pub(super) mod lookup;
mod receipt_view;
mod row_writer;
mod time_bound;
mod unwritten;
mod view;
mod workbook;

use std::borrow::Cow;

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};

pub(super) use self::{filter::FilterReader, filter_params::FilterParams, unwritten::Unwritten};

use self::{receipt_view::ReceiptView, view::MessageView};
use super::{
    AppState, Problem, ProblemKind,
    extract::{PathParams, QueryParams},
    openapi::shapes::{ProblemBody, Refusals},
};
use crate::{
    domain::{Message, StatusTable, participation},
    storage::{Cursor, PageRequest, StoreError, StoredReceipt},
};

/// Parameters of a question about one message.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct WhichMessage {
    /// Its account, where several have the sid.
    account: Option<String>,
}

/// What became of a message.
#[utoipa::path(
    get, path = "/messages/{sid}", tag = "Messages",
    params(("sid" = String, Path, description = "Its Sid"), WhichMessage),
    responses(
        (status = 200, description = "What is known of it", body = view::MessageView),
        (status = 404, description = "No receipt has come for it", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "Several accounts have this sid", body = ProblemBody, content_type = "application/problem+json"),
        Refusals,
    ),
)]
pub(super) async fn get(
    State(state): State<AppState>,
    PathParams(sid): PathParams<String>,
    QueryParams(which): QueryParams<WhichMessage>,
) -> Result<Json<Value>, Problem> {
    let message = find(&state, &sid, which.account.as_deref()).await?;
    Ok(Json(message_json(&message, &state.table)))
}

/// A message as it is answered, with what its code means in `table`.
#[must_use]
pub fn message_json(message: &Message<'_>, table: &StatusTable) -> Value {
    json!(MessageView::of(message, table))
}

/// Parameters of the list of a message's receipts.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct WhichReceipts {
    /// The message's account, where several have the sid.
    account: Option<String>,
    /// `next_cursor` of the page before, as it is.
    cursor: Option<String>,
}

/// How many receipts one answer lists; a message has a handful, so all but freaks fit.
const RECEIPTS_PER_PAGE: u16 = 500;
const RECEIPTS_LIST: &str = "callbacks";

/// The receipts of a message, oldest first.
#[derive(Serialize, ToSchema)]
struct Receipts {
    #[schema(value_type = Vec<ReceiptView>)]
    items: Vec<Value>,
    /// What to ask for as `cursor` to go on; null at the end.
    next_cursor: Option<String>,
}

/// Every receipt of a message, oldest first.
#[utoipa::path(
    get, path = "/messages/{sid}/callbacks", tag = "Messages",
    params(("sid" = String, Path, description = "The message's Sid"), WhichReceipts),
    responses(
        (status = 200, description = "A page", body = Receipts),
        (status = 404, description = "No receipt has come for it", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "Several accounts have this sid", body = ProblemBody, content_type = "application/problem+json"),
        Refusals,
    ),
)]
pub(super) async fn callbacks(
    State(state): State<AppState>,
    PathParams(sid): PathParams<String>,
    QueryParams(which): QueryParams<WhichReceipts>,
) -> Result<Response, Problem> {
    let after = which.cursor.as_deref().map(|text| Cursor::decode(text, RECEIPTS_LIST)).transpose();
    let after = after.map_err(|error| Problem::parameter("cursor", error))?;
    let message = find(&state, &sid, which.account.as_deref()).await?;
    let page = PageRequest { limit: RECEIPTS_PER_PAGE, after };
    let from_start = page.after.is_none();
    let page = state.store.receipts(&sid, &message.account, page).await?;
    let account = state.account(&message.account);
    let meanings = page.items.iter().map(|receipt| receipt.normalise(&account, &state.table));
    let meanings = meanings.collect::<Result<Vec<_>, StoreError>>()?;
    let whole = from_start && page.next.is_none() && !page.items.iter().any(StoredReceipt::is_erased);
    let takes_part = if whole {
        participation(&meanings.iter().collect::<Vec<_>>())
    } else {
        page.items.iter().map(|receipt| message.admits(receipt.signed_for.as_deref())).collect()
    };
    let views = page.items.iter().zip(&meanings).zip(takes_part).map(|((receipt, meaning), takes_part)| {
        json!(ReceiptView::of(receipt, meaning, &state.table).taking_part(takes_part))
    });
    let items = views.collect();
    let next_cursor = page.next.map(|next| next.encode(RECEIPTS_LIST));
    Ok(Json(Receipts { items, next_cursor }).into_response())
}

/// The message of a sid. Several accounts have the same sid only where a callback URL was mixed up.
async fn find(state: &AppState, sid: &str, account: Option<&str>) -> Result<Message<'static>, Problem> {
    let storable = !sid.contains('\0');
    let mut messages = if storable { state.store.messages(sid).await? } else { Vec::new() };
    if let Some(account) = account {
        messages.retain(|message| message.account.as_str().eq_ignore_ascii_case(account));
    }
    if messages.len() > 1 {
        let accounts: Vec<Cow<'_, str>> = messages.iter().map(|m| m.account.as_str().into()).collect();
        return Err(
            Problem::new(ProblemKind::AmbiguousSid, "say which with `?account=`").with("accounts", accounts)
        );
    }
    messages
        .pop()
        .ok_or_else(|| Problem::new(ProblemKind::UnknownSid, "no receipt has come for a message of this sid"))
}
