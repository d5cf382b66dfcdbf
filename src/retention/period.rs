//! What a partition spans: a month or a day, in UTC.

use chrono::{Datelike, Days, Months, NaiveDate, TimeDelta};
use serde::{Deserialize, Serialize};

use crate::{domain::Time, storage::Partition};

/// What a partition spans, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", try_from = "String")]
pub enum Period {
    /// A month.
    Month,
    /// A day.
    Day,
}

impl TryFrom<String> for Period {
    type Error = &'static str;

    fn try_from(word: String) -> Result<Self, Self::Error> {
        match word.as_str() {
            "month" => Ok(Self::Month),
            "day" => Ok(Self::Day),
            _ => Err("must be `month` or `day`"),
        }
    }
}

impl Period {
    /// When the period began that `time` lies in.
    #[must_use]
    pub fn start(self, time: Time) -> Time {
        midnight(self.first_day(time.date_naive()))
    }

    /// When the next one begins.
    fn next(self, time: Time) -> Time {
        let day = self.first_day(time.date_naive());
        let next = match self {
            Self::Month => day.checked_add_months(Months::new(1)),
            Self::Day => day.checked_add_days(Days::new(1)),
        };
        midnight(next.unwrap_or(NaiveDate::MAX))
    }

    fn first_day(self, day: NaiveDate) -> NaiveDate {
        match self {
            Self::Month => day.with_day(1).unwrap_or(day),
            Self::Day => day,
        }
    }

    /// How far ahead partitions are made: longer than a service is left alone with a fault.
    fn ahead(self) -> TimeDelta {
        match self {
            Self::Month => TimeDelta::days(62),
            Self::Day => TimeDelta::days(7),
        }
    }

    /// The partitions that are missing behind `partitions` for what comes from `now` on. They go on where the
    /// last one ends, so that the period may be changed.
    pub(super) fn missing(self, partitions: &[Partition], now: Time) -> Vec<Partition> {
        let covered = partitions.iter().filter_map(|partition| partition.to).max();
        let from = self.start(now);
        let mut from = covered.map_or(from, |covered| covered.max(from));
        let mut missing = Vec::new();
        while from < now + self.ahead() {
            let to = self.next(from);
            let name = from.format("receipts_%Y_%m_%d").to_string();
            missing.push(Partition { name, from: Some(from), to: Some(to) });
            from = to;
        }
        missing
    }
}

fn midnight(day: NaiveDate) -> Time {
    day.and_time(chrono::NaiveTime::MIN).and_utc()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> Time {
        text.parse().unwrap()
    }

    fn names(period: Period, covered: &[&str], now: &str) -> Vec<String> {
        let until = |end: &&str| Partition { name: "p".into(), from: None, to: Some(time(end)) };
        let partitions: Vec<_> = covered.iter().map(until).collect();
        period.missing(&partitions, time(now)).into_iter().map(|missing| missing.name).collect()
    }

    #[test]
    fn partitions_go_on_where_the_last_one_ends() {
        let december = ["2026-12-01T00:00:00Z"];
        let month = |covered: &[&str]| names(Period::Month, covered, "2026-11-22T03:00:00Z");
        assert_eq!(month(&december), ["receipts_2026_12_01", "receipts_2027_01_01"]);
        assert_eq!(month(&["2027-02-01T00:00:00Z"]), [""; 0]);
        assert_eq!(month(&["2020-01-01T00:00:00Z"])[0], "receipts_2026_11_01", "after a long rest");
        let day = names(Period::Day, &december, "2026-11-25T00:00:00Z");
        assert_eq!(day, ["receipts_2026_12_01"]);
        let from_days_to_months = month(&["2026-11-29T00:00:00Z"]);
        assert_eq!(from_days_to_months[..2], ["receipts_2026_11_29", "receipts_2026_12_01"]);
    }

    #[test]
    fn a_partition_ends_where_the_next_one_begins() {
        for period in [Period::Month, Period::Day] {
            let missing = period.missing(&[], time("2028-02-28T23:59:59.999999Z"));
            assert!(missing.len() >= 3);
            assert!(missing.windows(2).all(|pair| pair[0].to == pair[1].from));
            assert!(missing[0].from <= Some(time("2028-02-28T23:59:59.999999Z")));
        }
        assert_eq!(Period::Month.start(time("2028-02-29T12:00:00Z")), time("2028-02-01T00:00:00Z"));
    }
}
