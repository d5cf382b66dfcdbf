//! `GET /messages/{sid}/callbacks`: the receipts of one message.

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use utoipa::IntoParams;

use super::find::find;
use crate::{
    answers::{ReceiptView, ReceiptsView},
    domain::participation,
    http::{
        AppState, Problem,
        extract::{PathParams, QueryParams},
        openapi::shapes::{ProblemBody, Refusals},
    },
    storage::{Cursor, PageRequest, StoreError, StoredReceipt},
};

/// Parameters of the list of a message's receipts.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct WhichReceipts {
    /// The message's account, where several have the sid.
    account: Option<String>,
    /// `next_cursor` of the page before, as it is.
    cursor: Option<String>,
}

/// How many receipts one answer lists; a message has a handful, so all but freaks fit.
const RECEIPTS_PER_PAGE: u16 = 500;
const RECEIPTS_LIST: &str = "callbacks";

/// Every receipt of a message, oldest first.
#[utoipa::path(
    get, path = "/messages/{sid}/callbacks", tag = "Messages",
    params(("sid" = String, Path, description = "The message's Sid"), WhichReceipts),
    responses(
        (status = 200, description = "A page", body = ReceiptsView),
        (status = 404, description = "No receipt has come for it", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "Several accounts have this sid", body = ProblemBody, content_type = "application/problem+json"),
        Refusals,
    ),
)]
pub(in crate::http) async fn callbacks(
    State(state): State<AppState>,
    PathParams(sid): PathParams<String>,
    QueryParams(which): QueryParams<WhichReceipts>,
) -> Result<Response, Problem> {
    let after = which.cursor.as_deref().map(|text| Cursor::decode(text, RECEIPTS_LIST)).transpose();
    let after = after.map_err(|error| Problem::parameter("cursor", error))?;
    let message = find(&state.questions.store, &sid, which.account.as_deref()).await?;
    let page = PageRequest { limit: RECEIPTS_PER_PAGE, after };
    let from_start = page.after.is_none();
    let page = state.questions.store.receipts(&sid, &message.account, page).await?;
    let account = state.accounts.settings(&message.account);
    let meanings = page.items.iter().map(|receipt| receipt.normalise(&account, &state.table));
    let meanings = meanings.collect::<Result<Vec<_>, StoreError>>()?;
    let whole = from_start && page.next.is_none() && !page.items.iter().any(StoredReceipt::is_erased);
    let takes_part = if whole {
        participation(&meanings.iter().collect::<Vec<_>>())
    } else {
        page.items.iter().map(|receipt| message.admits(receipt.signed_for.as_deref())).collect()
    };
    let views = page.items.iter().zip(&meanings).zip(takes_part).map(|((receipt, meaning), takes_part)| {
        ReceiptView::of(receipt, meaning, &state.table).taking_part(takes_part)
    });
    let items = views.collect();
    let next_cursor = page.next.map(|next| next.encode(RECEIPTS_LIST));
    Ok(Json(ReceiptsView { items, next_cursor }).into_response())
}
