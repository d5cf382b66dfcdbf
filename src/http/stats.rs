//! Statistics: messages counted by groups.

use std::borrow::Cow;

use axum::{Json, extract::State};
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::{
    AppState, Problem,
    extract::QueryPairs,
    messages::{FilterParams, FilterReader},
    openapi::shapes::Refusals,
    pace::Reads,
};
use crate::{
    domain::{Account, Labels},
    storage::{Group, GroupBy, GroupValue, StatsRequest, TooManyGroups},
};

/// How many things one question may group by.
const MOST: usize = 3;
/// What the messages can be grouped by.
const GROUPS: [&str; 8] = ["outcome", "status", "code", "category", "account", "hour", "day", "label:NAME"];

/// Messages, counted by groups.
#[derive(Serialize, ToSchema)]
pub(super) struct Stats {
    /// The groups, in the order of their values.
    #[schema(value_type = Vec<GroupView>)]
    groups: Vec<Value>,
}

/// A group: what its messages have in common stands first, by the names in `group_by`.
#[derive(ToSchema)]
#[schema(as = Group)]
#[expect(dead_code, reason = "a group is put together member by member")]
struct GroupView {
    /// How many messages.
    messages: u64,
    /// Their parts, where known.
    units: u64,
    /// The share that was delivered.
    delivery_rate: f64,
    /// Half of them took no longer from being sent to their receipt, in seconds.
    #[schema(required)]
    latency_p50_s: Option<f64>,
    /// 95 of a hundred took no longer.
    #[schema(required)]
    latency_p95_s: Option<f64>,
    /// 99 of a hundred took no longer.
    #[schema(required)]
    latency_p99_s: Option<f64>,
}

/// Messages counted by groups, and how long their receipts took.
#[utoipa::path(
    get, path = "/stats", tag = "Messages",
    params(FilterParams, ("group_by" = Option<Vec<String>>, Query, example = json!(["outcome", "hour"]),
        description = "Up to three of outcome, status, code, category, account, hour, day and label:NAME; commas may stand between them")),
    responses((status = 200, description = "The groups", body = Stats), Refusals),
)]
pub(super) async fn get(
    State(state): State<AppState>,
    QueryPairs(pairs): QueryPairs,
) -> Result<Json<Stats>, Problem> {
    let mut group_by = Vec::new();
    let filter = FilterReader::read(&state, &pairs, &["group_by"], |_, value| {
        value.split(',').try_for_each(|word| add_group(&mut group_by, word))
    })?;
    let accounts: Vec<Account> = state.accounts_among(&[]).into_iter().map(Cow::into_owned).collect();
    let counted = {
        let (store, group_by) = (state.store.clone(), group_by.clone());
        async move { store.stats(StatsRequest { filter, group_by: &group_by, accounts: &accounts }).await }
    };
    let counted = state.ask(Reads::Scan, counted).await?.map_err(|TooManyGroups| {
        let fault = format!("makes more than {} groups; narrow the question", TooManyGroups::MOST);
        Problem::parameter("group_by", fault)
    })?;
    let groups = counted.iter().map(|(values, group)| view(&group_by, values, group)).collect();
    Ok(Json(Stats { groups }))
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

/// What the group has in common, and what it amounts to.
fn view(group_by: &[GroupBy], values: &[GroupValue], group: &Group) -> Value {
    let mut view = Map::new();
    for (by, value) in group_by.iter().zip(values) {
        let value = match value {
            GroupValue::Number(number) => json!(number),
            GroupValue::Text(text) => json!(text),
        };
        view.insert(name(by), value);
    }
    view.insert("messages".into(), group.messages.into());
    view.insert("units".into(), group.units.into());
    view.insert("delivery_rate".into(), group.delivery_rate().into());
    for (name, percent) in [("latency_p50_s", 50), ("latency_p95_s", 95), ("latency_p99_s", 99)] {
        view.insert(name.into(), group.latency(percent).into());
    }
    view.into()
}

fn name(by: &GroupBy) -> String {
    match by {
        GroupBy::Outcome => "outcome".into(),
        GroupBy::Status => "status".into(),
        GroupBy::Code => "code".into(),
        GroupBy::Category => "category".into(),
        GroupBy::Account => "account".into(),
        GroupBy::Hour => "hour".into(),
        GroupBy::Day => "day".into(),
        GroupBy::Label(label) => format!("label:{label}"),
    }
}
