//! Statistics.

use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use crate::storage::{Group, GroupBy, GroupValue, Groups};

/// Messages, counted by groups.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Stats)]
pub struct StatsView {
    /// The groups, in the order of their values.
    #[schema(value_type = Vec<GroupView>)]
    groups: Vec<Value>,
}

/// A group: what its messages have in common stands first, by the names in `group_by`.
#[derive(Debug, ToSchema)]
#[schema(as = Group)]
#[expect(dead_code, reason = "a group is put together member by member")]
pub struct GroupView {
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

impl StatsView {
    /// What was counted by `group_by`.
    #[must_use]
    pub fn of(group_by: &[GroupBy], groups: &Groups) -> Self {
        let groups = groups.iter().map(|(values, group)| group_json(group_by, values, group));
        Self { groups: groups.collect() }
    }
}

/// What the group has in common, and what it amounts to.
fn group_json(group_by: &[GroupBy], values: &[GroupValue], group: &Group) -> Value {
    let mut members = Map::new();
    for (by, value) in group_by.iter().zip(values) {
        let value = match value {
            GroupValue::Number(number) => json!(number),
            GroupValue::Text(text) => json!(text),
        };
        members.insert(name(by), value);
    }
    members.insert("messages".into(), group.messages.into());
    members.insert("units".into(), group.units.into());
    members.insert("delivery_rate".into(), group.delivery_rate().into());
    for (name, percent) in [("latency_p50_s", 50), ("latency_p95_s", 95), ("latency_p99_s", 99)] {
        members.insert(name.into(), group.latency(percent).into());
    }
    members.into()
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
