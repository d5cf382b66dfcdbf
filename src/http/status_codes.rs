//! The table of status codes in force.

use std::borrow::Cow;

use axum::{Json, extract::State};
use serde::Serialize;
use serde_json::{Value, json};

use super::{AppState, Problem, ProblemKind, extract::PathParams};
use crate::domain::{Category, ConfirmedBy, Outcome, Retry, Status, StatusCode};

#[derive(Serialize)]
struct StatusCodeView<'a> {
    code: i32,
    status: Status,
    name: &'a Cow<'static, str>,
    outcome: Outcome,
    #[serde(rename = "final")]
    is_final: bool,
    confirmed_by: ConfirmedBy,
    category: Category,
    retry: Retry,
    meaning: &'a Cow<'static, str>,
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
pub(super) async fn list(State(state): State<AppState>) -> Json<Value> {
    let items: Vec<_> = state.table.iter().map(StatusCodeView::of).collect();
    Json(json!({ "items": items }))
}

/// One code.
pub(super) async fn get(
    State(state): State<AppState>,
    PathParams(code): PathParams<String>,
) -> Result<Json<Value>, Problem> {
    let number =
        code.parse().map_err(|_| Problem::parameter("code", "a status code is a number, such as 20005"))?;
    let entry = state.table.by_code(number);
    let unknown = || {
        Problem::new(
            ProblemKind::UnknownStatusCode,
            "the code stands neither in Exotel's table nor in the configuration",
        )
    };
    Ok(Json(json!(StatusCodeView::of(entry.ok_or_else(unknown)?))))
}
