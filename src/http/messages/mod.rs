//! Questions about messages: one, many at once, lists.

mod csv_rows;
mod export;
mod filter;
mod list;
mod lookup;
mod view;

use std::borrow::Cow;

use axum::{Json, extract::State};
use serde::Deserialize;
use serde_json::{Value, json};

pub(super) use self::{export::export, filter::FilterReader, list::list, lookup::lookup};

use self::view::{MessageView, ReceiptView};
use super::{
    AppState, Problem, ProblemKind,
    extract::{PathParams, QueryParams},
};
use crate::{
    domain::{Message, StatusTable},
    storage::{Cursor, PageRequest, StoreError, StoredReceipt},
};

/// Parameters of a question about one message.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WhichMessage {
    account: Option<String>,
}

/// What became of a message.
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
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WhichReceipts {
    account: Option<String>,
    cursor: Option<String>,
}

/// How many receipts one answer lists; a message has a handful, so all but freaks fit.
const RECEIPTS_PER_PAGE: u16 = 500;
const RECEIPTS_LIST: &str = "callbacks";

/// Every receipt of a message, oldest first.
pub(super) async fn callbacks(
    State(state): State<AppState>,
    PathParams(sid): PathParams<String>,
    QueryParams(which): QueryParams<WhichReceipts>,
) -> Result<Json<Value>, Problem> {
    let after = which.cursor.as_deref().map(|text| Cursor::decode(text, RECEIPTS_LIST)).transpose();
    let after = after.map_err(|error| Problem::parameter("cursor", error))?;
    let message = find(&state, &sid, which.account.as_deref()).await?;
    let page = PageRequest { limit: RECEIPTS_PER_PAGE, after };
    let page = state.store.receipts(&sid, &message.account, page).await?;
    let account = state.account(&message.account);
    let view = |receipt: &StoredReceipt| {
        let meaning = receipt.normalise(&account, &state.table)?;
        Ok(json!(ReceiptView::of(receipt, &meaning, &state.table)))
    };
    let items = page.items.iter().map(view).collect::<Result<Vec<Value>, StoreError>>()?;
    Ok(Json(json!({"items": items, "next_cursor": page.next.map(|next| next.encode(RECEIPTS_LIST))})))
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
