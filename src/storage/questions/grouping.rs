//! What statistics group by, in SQL. Hours and days are those of each account's clock.

use chrono::{DateTime, SecondsFormat, TimeDelta};
use chrono_tz::Tz;

use crate::domain::{Account, Time};
use crate::storage::{
    dialect::Dialect,
    questions::calendar::Calendar,
    questions::condition::{Argument, Condition},
    questions::filter::Window,
};

/// What messages are grouped by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GroupBy {
    /// What became of them.
    Outcome,
    /// The status.
    Status,
    /// The detailed status code.
    Code,
    /// Where the cause lies.
    Category,
    /// The account.
    Account,
    /// The hour in which they were first received, by the account's clock.
    Hour,
    /// The day in which they were first received, by the account's calendar.
    Day,
    /// The value of a label.
    Label(String),
}

/// The value that the messages of a group share; none where they have no such value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum GroupValue {
    /// A number.
    Number(Option<i32>),
    /// A word, a text, or a time as the account's clock shows it.
    Text(Option<String>),
}

impl GroupBy {
    /// Whether it is a span of time.
    pub(in crate::storage) fn is_time(&self) -> bool {
        matches!(self, Self::Hour | Self::Day)
    }

    /// The SQL expression to group by. Hours and days become the beginning of a span.
    pub(in crate::storage) fn sql(&self, condition: &mut Condition, zones: &Zones<'_>) -> String {
        match self {
            Self::Outcome => "outcome".to_owned(),
            Self::Status => "status".to_owned(),
            Self::Code => "detailed_status_code".to_owned(),
            Self::Category => "category".to_owned(),
            Self::Account => "account".to_owned(),
            Self::Hour | Self::Day => zones.sql(self, condition.dialect()),
            Self::Label(name) => {
                let name = condition.bind(Argument::Text(name.clone()));
                match condition.dialect() {
                    Dialect::Postgres => format!("labels->>{name}"),
                    Dialect::Sqlite => format!("(SELECT value FROM json_each(labels) WHERE key = {name})"),
                }
            }
        }
    }
}

/// The time zones of the accounts, within the window of time that is asked for.
#[derive(Debug)]
pub(in crate::storage) struct Zones<'a> {
    pub accounts: &'a [Account],
    pub otherwise: Tz,
    pub window: Window,
}

/// Spans of `width` seconds that follow each other without gaps; one begins `origin` seconds after the Unix epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Spans {
    width: i64,
    origin: i64,
}

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

impl Zones<'_> {
    /// The zone of an account.
    pub fn of(&self, account: &str) -> Tz {
        let known = self.accounts.iter().find(|known| known.name.as_str() == account);
        known.map_or(self.otherwise, |known| known.time_zone)
    }

    /// Whether the accounts have different time zones.
    pub fn differ(&self) -> bool {
        self.accounts.iter().any(|account| account.time_zone != self.otherwise)
    }

    /// The hour or day, by the account's clock, in which the span lies that begins at `start`.
    pub fn label(&self, unit: &GroupBy, start: Time, account: &str) -> String {
        let local = start.with_timezone(&self.of(account));
        match unit {
            GroupBy::Day => local.date_naive().to_string(),
            // A span is a quarter of an hour where the zone's offset has changed by less than an hour.
            _ => start_of_hour(local).to_rfc3339_opts(SecondsFormat::Secs, false),
        }
    }

    fn sql(&self, unit: &GroupBy, dialect: Dialect) -> String {
        let otherwise = self.spans(unit, self.otherwise);
        let different = self.accounts.iter().map(|account| (account, self.spans(unit, account.time_zone)));
        let different: Vec<_> = different.filter(|(_, spans)| *spans != otherwise).collect();
        if different.is_empty() {
            return otherwise.sql(dialect);
        }
        let cases: Vec<_> = different
            .iter()
            // Names of accounts are letters, digits, `-` and `_`.
            .map(|(account, spans)| format!("WHEN '{}' THEN {}", account.name, spans.sql(dialect)))
            .collect();
        format!("CASE account {} ELSE {} END", cases.join(" "), otherwise.sql(dialect))
    }

    /// The widest spans of which each lies within one hour or day of the zone's clock, for all offsets that the zone has in
    /// the window. Spans of the same hour or day are added up later, by their label.
    fn spans(&self, unit: &GroupBy, zone: Tz) -> Spans {
        let offsets = Calendar::of(zone).offsets(self.window);
        let constant = |modulus: i64| offsets.iter().all(|o| (o - offsets[0]).rem_euclid(modulus) == 0);
        let aligned = |width: i64| Spans { width, origin: (-offsets[0]).rem_euclid(width) };
        match unit {
            GroupBy::Day if offsets.iter().all(|offset| *offset == offsets[0]) => aligned(DAY),
            _ if constant(HOUR) => aligned(HOUR),
            _ => Spans { width: HOUR / 4, origin: 0 },
        }
    }
}

impl Spans {
    fn sql(self, dialect: Dialect) -> String {
        let Self { width, origin } = self;
        match dialect {
            Dialect::Postgres => {
                let origin = DateTime::from_timestamp(origin, 0).unwrap_or_default().to_rfc3339();
                format!("date_bin('{width} seconds', first_received_at, TIMESTAMPTZ '{origin}')")
            }
            Dialect::Sqlite => {
                let (width, origin) = (width * 1_000_000, origin * 1_000_000);
                format!("(first_received_at - {origin}) / {width} * {width} + {origin}")
            }
        }
    }
}

fn start_of_hour(local: DateTime<Tz>) -> DateTime<Tz> {
    let seconds = local.naive_local().and_utc().timestamp().rem_euclid(HOUR);
    local - TimeDelta::seconds(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{AccountName, Country};

    fn zones(zone: Tz, window: Window) -> (Vec<Account>, Window) {
        let name = AccountName::new("a").unwrap();
        (vec![Account { name, time_zone: zone, country: Country::INDIA }], window)
    }

    #[test]
    fn spans_lie_within_the_hours_and_days_of_a_zone() {
        let spans = |zone, window, unit: GroupBy| {
            let (accounts, window) = zones(zone, window);
            Zones { accounts: &accounts, otherwise: zone, window }.spans(&unit, zone)
        };
        let any = Window::default();
        let india = 5 * HOUR + HOUR / 2;
        assert_eq!(spans(Tz::Asia__Kolkata, any, GroupBy::Day), Spans { width: DAY, origin: DAY - india });
        assert_eq!(spans(Tz::Asia__Kolkata, any, GroupBy::Hour), Spans { width: HOUR, origin: HOUR / 2 });
        assert_eq!(spans(Tz::Europe__Berlin, any, GroupBy::Day), Spans { width: HOUR, origin: 0 });
        let july =
            Window { from: "2026-07-01T00:00:00Z".parse().ok(), to: "2026-07-31T00:00:00Z".parse().ok() };
        assert_eq!(
            spans(Tz::Europe__Berlin, july, GroupBy::Day),
            Spans { width: DAY, origin: DAY - 2 * HOUR }
        );
        assert_eq!(spans(Tz::Australia__Lord_Howe, any, GroupBy::Hour), Spans { width: HOUR / 4, origin: 0 });
    }

    #[test]
    fn a_span_is_shown_by_the_accounts_clock() {
        let (accounts, window) = zones(Tz::Asia__Kolkata, Window::default());
        let zones = Zones { accounts: &accounts, otherwise: Tz::Europe__Berlin, window };
        let label = |unit, start: &str, account| zones.label(&unit, start.parse().unwrap(), account);
        assert_eq!(label(GroupBy::Hour, "2026-11-21T18:30:00Z", "a"), "2026-11-22T00:00:00+05:30");
        assert_eq!(label(GroupBy::Day, "2026-11-21T18:30:00Z", "a"), "2026-11-22");
        // The hour that Berlin has twice.
        assert_eq!(label(GroupBy::Hour, "2026-10-25T00:00:00Z", "b"), "2026-10-25T02:00:00+02:00");
        assert_eq!(label(GroupBy::Hour, "2026-10-25T01:00:00Z", "b"), "2026-10-25T02:00:00+01:00");
    }
}
