//! Statistics: messages counted by groups, and how long their receipts took.
//!
//! The database counts messages by group and by class of latency. Percentiles are computed here from the classes, so that
//! both databases give the same figures.

use std::collections::BTreeMap;

use futures_util::TryStreamExt;
use sqlx::{AssertSqlSafe, Row};

use crate::domain::Account;
use crate::storage::{
    MessageFilter, Store, StoreError,
    dialect::Dialect,
    on_readers,
    questions::condition::{Argument, Condition},
    questions::grouping::{GroupBy, GroupValue, Zones},
    questions::list::bind_all,
    time::StoredTime,
};

/// What is counted.
#[derive(Debug)]
pub struct StatsRequest<'a> {
    /// Which messages are counted.
    pub filter: MessageFilter,
    /// What they are grouped by.
    pub group_by: &'a [GroupBy],
    /// The accounts that are configured, for their time zones.
    pub accounts: &'a [Account],
}

/// The figures of one group of messages.
#[derive(Clone, Debug, Default)]
pub struct Group {
    /// How many messages.
    pub messages: u64,
    /// The sum of their SMS units, where known.
    pub units: u64,
    /// How many of them were delivered.
    pub delivered: u64,
    /// How many messages had each latency class: tenths of a second from being sent to the receipt that decided the
    /// outcome.
    latencies: BTreeMap<i64, u64>,
}

impl Group {
    /// The percentile of the latency, in seconds with three significant digits, at least a tenth of a second. None where
    /// no message has a known latency.
    #[must_use]
    pub fn latency(&self, percent: u64) -> Option<f64> {
        let known: u64 = self.latencies.values().sum();
        let rank = (known * percent).div_ceil(100).max(1);
        let mut seen = 0;
        let class = self.latencies.iter().find(|(_, count)| {
            seen += **count;
            seen >= rank
        });
        #[expect(clippy::cast_precision_loss, reason = "tenths of seconds of a few years")]
        class.map(|(tenths, _)| *tenths as f64 / 10.0)
    }

    /// The share of all messages of the group that were delivered, from 0 to 1, with four decimal places.
    #[must_use]
    pub fn delivery_rate(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "there are not 2^52 messages")]
        let rate = self.delivered as f64 / (self.messages.max(1)) as f64;
        (rate * 1e4).round() / 1e4
    }

    fn add(&mut self, class: Option<i64>, counted: Counted) {
        self.messages += counted.messages.cast_unsigned();
        self.units += counted.units.cast_unsigned();
        self.delivered += counted.delivered.cast_unsigned();
        if let Some(tenths) = class {
            *self.latencies.entry(tenths).or_default() += counted.messages.cast_unsigned();
        }
    }
}

/// One row of the database's answer.
#[derive(Clone, Copy)]
struct Counted {
    messages: i64,
    units: i64,
    delivered: i64,
}

/// The answer would have too many groups.
#[derive(Debug, thiserror::Error)]
#[error("more than {} groups", TooManyGroups::MOST)]
pub struct TooManyGroups;

impl TooManyGroups {
    /// The most groups of an answer.
    pub const MOST: usize = 10_000;
}

/// The groups by the values that their messages share, in the order of the values.
pub type Groups = BTreeMap<Vec<GroupValue>, Group>;

impl Store {
    /// Counts messages by groups.
    ///
    /// # Errors
    /// [`StoreError`] where the database cannot answer. The inner [`TooManyGroups`] is the question's fault.
    pub async fn stats(
        &self,
        request: StatsRequest<'_>,
    ) -> Result<Result<Groups, TooManyGroups>, StoreError> {
        let StatsRequest { filter, group_by, accounts } = request;
        let zones = Zones { accounts, otherwise: Account::TIME_ZONE, window: filter.received };
        let (statement, arguments) = statement(Condition::of(&filter, self.dialect()), group_by, &zones);
        let mut groups = Groups::new();
        on_readers!(self, pool => async {
            let query = bind_all!(sqlx::query(AssertSqlSafe(statement)).persistent(false), arguments);
            let mut rows = query.fetch(pool);
            while let Some(row) = rows.try_next().await? {
                let account: String = row.try_get("account")?;
                let mut key = Vec::with_capacity(group_by.len());
                for (at, by) in group_by.iter().enumerate() {
                    key.push(match by {
                        GroupBy::Code => GroupValue::Number(row.try_get(at)?),
                        unit if unit.is_time() => {
                            let start: StoredTime = row.try_get(at)?;
                            GroupValue::Text(Some(zones.label(unit, start.0, &account)))
                        }
                        _ => GroupValue::Text(row.try_get(at)?),
                    });
                }
                let counted = Counted {
                    messages: row.try_get("messages")?,
                    units: row.try_get("units")?,
                    delivered: row.try_get("delivered")?,
                };
                groups.entry(key).or_default().add(row.try_get("latency")?, counted);
                if groups.len() > TooManyGroups::MOST {
                    break;
                }
            }
            Ok(())
        })?;
        Ok(if groups.len() > TooManyGroups::MOST { Err(TooManyGroups) } else { Ok(groups) })
    }
}

/// The statement: counts by group, by account where accounts' clocks differ, and by class of latency.
fn statement(mut condition: Condition, group_by: &[GroupBy], zones: &Zones<'_>) -> (String, Vec<Argument>) {
    let by_account = group_by.iter().any(GroupBy::is_time) && zones.differ();
    let mut columns: Vec<_> = group_by.iter().map(|by| by.sql(&mut condition, zones)).collect();
    columns.push(format!("{} AS latency", latency(condition.dialect())));
    if by_account {
        columns.push("account".to_owned());
    }
    let grouped: Vec<_> = (1..=columns.len()).map(|at| at.to_string()).collect();
    if !by_account {
        columns.push("'' AS account".to_owned());
    }
    let (columns, grouped) = (columns.join(", "), grouped.join(", "));
    let Condition { sql, arguments, .. } = condition;
    let statement = format!(
        "SELECT {columns}, count(*) AS messages, CAST(COALESCE(sum(sms_units), 0) AS BIGINT) AS units, \
            count(*) FILTER (WHERE outcome = 'delivered') AS delivered \
         FROM messages WHERE {sql} GROUP BY {grouped}"
    );
    (statement, arguments)
}

/// The SQL expression of a message's latency class: tenths of a second, truncated to three significant digits.
fn latency(dialect: Dialect) -> String {
    // Comparing intervals is cheap; the costly number of microseconds is computed in one branch only.
    let (micros, seconds): (_, fn(u32) -> String) = match dialect {
        Dialect::Postgres => {
            let micros = "CAST(date_part('epoch', decided_at - sent_at) * 1000000 AS BIGINT)";
            (micros, |seconds| format!("INTERVAL '{seconds} seconds'"))
        }
        Dialect::Sqlite => ("(decided_at - sent_at)", |seconds| format!("{seconds}000000")),
    };
    let shorter = |than| format!("decided_at - sent_at < {}", seconds(than));
    format!(
        "CASE WHEN sent_at > decided_at THEN NULL WHEN {} THEN {micros} / 100000 \
            WHEN {} THEN {micros} / 1000000 * 10 WHEN {} THEN {micros} / 10000000 * 100 \
            ELSE {micros} / 100000000 * 1000 END",
        shorter(100),
        shorter(1000),
        shorter(10_000),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_those_of_the_nearest_rank() {
        let mut group = Group::default();
        assert_eq!(group.latency(50), None);
        for (tenths, messages) in [(10, 50), (20, 45), (900, 4), (12_300, 1)] {
            group.add(Some(tenths), Counted { messages, units: 0, delivered: 0 });
        }
        group.add(None, Counted { messages: 7, units: 0, delivered: 0 });
        assert_eq!((group.latency(50), group.latency(51)), (Some(1.0), Some(2.0)));
        assert_eq!(
            (group.latency(95), group.latency(99), group.latency(100)),
            (Some(2.0), Some(90.0), Some(1230.0))
        );
        assert_eq!(group.messages, 107);
    }
}
