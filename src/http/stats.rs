//! Statistics: messages counted by groups.

use std::borrow::Cow;

use axum::{Json, extract::State};

use super::{
    AppState, Problem,
    extract::QueryPairs,
    messages::{FilterParams, FilterReader},
    openapi::shapes::Refusals,
    pace::Reads,
};
use crate::{
    answers::StatsView,
    domain::{Account, Labels},
    storage::{GroupBy, StatsRequest, TooManyGroups},
};

/// The most groupings of one question.
const MOST: usize = 3;
/// What the messages can be grouped by.
const GROUPS: [&str; 8] = ["outcome", "status", "code", "category", "account", "hour", "day", "label:NAME"];

/// Messages counted by groups, and how long their receipts took.
#[utoipa::path(
    get, path = "/stats", tag = "Messages",
    params(FilterParams, ("group_by" = Option<Vec<String>>, Query, example = json!(["outcome", "hour"]),
        description = "Up to three of outcome, status, code, category, account, hour, day and label:NAME; commas may stand between them")),
    responses((status = 200, description = "The groups", body = StatsView), Refusals),
)]
pub(super) async fn get(
    State(state): State<AppState>,
    QueryPairs(pairs): QueryPairs,
) -> Result<Json<StatsView>, Problem> {
    let mut group_by = Vec::new();
    let filter = FilterReader::read(&state, &pairs, &["group_by"], |_, value| {
        value.split(',').try_for_each(|word| add_group(&mut group_by, word))
    })?;
    let accounts: Vec<Account> =
        state.accounts.settings_among(&[]).into_iter().map(Cow::into_owned).collect();
    let counted = {
        let (store, group_by) = (state.questions.store.clone(), group_by.clone());
        async move { store.stats(StatsRequest { filter, group_by: &group_by, accounts: &accounts }).await }
    };
    let counted = state.questions.ask(Reads::Scan, counted).await?.map_err(|TooManyGroups| {
        let fault = format!("makes more than {} groups; narrow the question", TooManyGroups::MOST);
        Problem::parameter("group_by", fault)
    })?;
    Ok(Json(StatsView::of(&group_by, &counted)))
}

fn add_group(group_by: &mut Vec<GroupBy>, word: &str) -> Result<(), Problem> {
    let group = match word {
        "outcome" => GroupBy::Outcome,
        "status" => GroupBy::Status,
        "code" => GroupBy::Code,
        "category" => GroupBy::Category,
        "account" => GroupBy::Account,
        "hour" => GroupBy::Hour,
        "day" => GroupBy::Day,
        other => match other.strip_prefix("label:") {
            Some(name) if !name.is_empty() && name.len() <= Labels::MAX_KEY && !name.contains('\0') => {
                GroupBy::Label(name.to_owned())
            }
            _ => return Err(Problem::word("group_by", &GROUPS)),
        },
    };
    if group_by.contains(&group) {
        return Err(Problem::parameter("group_by", format!("names `{word}` twice")));
    }
    if group_by.len() == MOST {
        return Err(Problem::parameter("group_by", format!("must name {MOST} groups at most")));
    }
    group_by.push(group);
    Ok(())
}
