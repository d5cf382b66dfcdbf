//! `GET /messages/{sid}`: what became of one message.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use utoipa::IntoParams;

use super::find::find;
use crate::{
    answers::MessageView,
    domain::StatusTable,
    http::{
        Problem,
        extract::{PathParams, QueryParams},
        openapi::shapes::{ProblemBody, Refusals},
        question::Questions,
    },
};

/// Parameters of a question about one message.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct WhichMessage {
    /// Its account, where several have the sid.
    account: Option<String>,
}

/// What became of a message.
#[utoipa::path(
    get, path = "/messages/{sid}", tag = "Messages",
    params(("sid" = String, Path, description = "Its Sid"), WhichMessage),
    responses(
        (status = 200, description = "What is known of it", body = MessageView),
        (status = 404, description = "No receipt has come for it", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "Several accounts have this sid", body = ProblemBody, content_type = "application/problem+json"),
        Refusals,
    ),
)]
pub(in crate::http) async fn get(
    State(questions): State<Arc<Questions>>,
    State(table): State<Arc<StatusTable>>,
    PathParams(sid): PathParams<String>,
    QueryParams(which): QueryParams<WhichMessage>,
) -> Result<Response, Problem> {
    let message = find(&questions.store, &sid, which.account.as_deref()).await?;
    Ok(Json(MessageView::of(&message, &table)).into_response())
}
