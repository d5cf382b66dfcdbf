//! The table of status codes in force.

use std::{borrow::Cow, sync::Arc};

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    Problem, ProblemKind,
    extract::PathParams,
    openapi::shapes::{ProblemBody, Refusals},
};
use crate::{
    answers::{CategoryWord, ConfirmedByWord, OutcomeWord, RetryWord, StatusWord},
    domain::{Category, ConfirmedBy, Outcome, Retry, Status, StatusCode, StatusTable},
};

/// A detailed status code.
#[derive(Serialize, ToSchema)]
#[schema(as = StatusCode)]
pub(super) struct StatusCodeView<'a> {
    /// The code.
    #[schema(example = 20005)]
    code: i32,
    /// The status that goes with it.
    #[schema(value_type = StatusWord)]
    status: Status,
    /// Its name.
    #[schema(value_type = String, example = "DELIVERED_TO_HANDSET")]
    name: &'a Cow<'static, str>,
    /// What has become of the message.
    #[schema(value_type = OutcomeWord)]
    outcome: Outcome,
    /// Whether nothing further is expected.
    #[serde(rename = "final")]
    is_final: bool,
    /// Who confirmed a delivery.
    #[schema(value_type = ConfirmedByWord)]
    confirmed_by: ConfirmedBy,
    /// Where the cause lies.
    #[schema(value_type = CategoryWord)]
    category: Category,
    /// What to do about it.
    #[schema(value_type = RetryWord)]
    retry: Retry,
    /// What it means.
    #[schema(value_type = String)]
    meaning: &'a Cow<'static, str>,
}

/// The table in force.
#[derive(Serialize, ToSchema)]
struct StatusCodes<'a> {
    /// Every code, ascending.
    items: Vec<StatusCodeView<'a>>,
}

impl<'a> StatusCodeView<'a> {
    fn of(entry: &'a StatusCode) -> Self {
        let StatusCode { code, status, name, outcome, category, retry, meaning } = entry;
        Self {
            code: *code,
            status: *status,
            name,
            outcome: *outcome,
            is_final: outcome.is_final(),
            confirmed_by: entry.confirmed_by(),
            category: *category,
            retry: *retry,
            meaning,
        }
    }
}

/// Every code, ascending.
#[utoipa::path(
    get, path = "/status-codes", tag = "Status codes",
    responses((status = 200, description = "The table in force", body = StatusCodes), Refusals),
)]
pub(super) async fn list(State(table): State<Arc<StatusTable>>) -> Response {
    Json(StatusCodes { items: table.iter().map(StatusCodeView::of).collect() }).into_response()
}

/// One code.
#[utoipa::path(
    get, path = "/status-codes/{code}", tag = "Status codes",
    params(("code" = i32, Path, description = "The code", example = 20005)),
    responses(
        (status = 200, description = "What it means", body = StatusCodeView),
        (status = 404, description = "It stands in no table", body = ProblemBody, content_type = "application/problem+json"),
        Refusals,
    ),
)]
pub(super) async fn get(
    State(table): State<Arc<StatusTable>>,
    PathParams(code): PathParams<String>,
) -> Result<Response, Problem> {
    let number =
        code.parse().map_err(|_| Problem::parameter("code", "a status code is a number, such as 20005"))?;
    let entry = table.by_code(number);
    let unknown = || {
        Problem::new(
            ProblemKind::UnknownStatusCode,
            "the code stands neither in Exotel's table nor in the configuration",
        )
    };
    Ok(Json(StatusCodeView::of(entry.ok_or_else(unknown)?)).into_response())
}
