//! The period of a partition: a month or a day, in UTC.

use chrono::{Datelike, Days, Months, NaiveDate, TimeDelta};
use serde::{Deserialize, Serialize};

use crate::{domain::Time, storage::Partition};

/// The period of a partition, in UTC.
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
    /// The beginning of the period of `time`.
    #[must_use]
    pub fn start(self, time: Time) -> Time {
        midnight(self.first_day(time.date_naive()))
    }

    /// The beginning of the next period.
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

    /// How far ahead partitions are made: longer than a fault goes unnoticed.
    fn ahead(self) -> TimeDelta {
        match self {
            Self::Month => TimeDelta::days(62),
            Self::Day => TimeDelta::days(7),
        }
    }

    /// The name of a partition that begins then.
    pub(super) fn name(from: Time) -> String {
        from.format("receipts_%Y_%m_%d").to_string()
    }

    /// The partitions that are missing among `partitions` for what comes from `now` on. They fill the gaps between
    /// those that there are: the period may be changed, and a clock that ran ahead may have made some in the far
    /// future.
    pub(super) fn missing(self, partitions: &[Partition], now: Time) -> Vec<Partition> {
        let bounded =
            || partitions.iter().filter(|partition| partition.from.is_some() || partition.to.is_some());
        let mut from = self.start(now);
        let mut missing = Vec::new();
        while from < now + self.ahead() {
            let covering = |partition: &&Partition| {
                partition.from.is_none_or(|begin| begin <= from) && partition.to.is_none_or(|end| end > from)
            };
            if let Some(covering) = bounded().find(covering) {
                let Some(end) = covering.to else { break };
                from = end;
                continue;
            }
            let next = bounded().filter_map(|partition| partition.from).filter(|begin| *begin > from).min();
            let to = next.map_or(self.next(from), |next| next.min(self.next(from)));
            // New receipts are not dated before now.
            if to > now {
                missing.push(Partition { name: Self::name(from), from: Some(from), to: Some(to) });
            }
            from = to;
        }
        missing
    }

    /// How many partitions begin later than any that is made ahead of time, whatever the period.
    pub(super) fn beyond(partitions: &[Partition], now: Time) -> usize {
        let beyond = now + Self::Month.ahead() + TimeDelta::days(1);
        partitions.iter().filter(|partition| partition.from.is_some_and(|from| from > beyond)).count()
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

    /// Those that are missing beside some from one day to another.
    fn beside(period: Period, days: &[(&str, &str)], now: &str) -> Vec<Partition> {
        let bound = |day: &str| (!day.is_empty()).then(|| time(&format!("{day}T00:00:00Z")));
        let of = |(from, to): &(&str, &str)| Partition { name: "p".into(), from: bound(from), to: bound(to) };
        // The default partition has no bounds.
        let default = Partition { name: "receipts_default".into(), from: None, to: None };
        let partitions: Vec<_> = days.iter().map(of).chain([default]).collect();
        let missing = period.missing(&partitions, time(now));
        let overlap = |a: &Partition, b: &Partition| {
            a.from.is_none_or(|from| b.to.is_none_or(|to| from < to))
                && b.from.is_none_or(|from| a.to.is_none_or(|to| from < to))
        };
        for (at, partition) in missing.iter().enumerate() {
            assert!(partition.from < partition.to, "{partition:?}");
            assert!(partitions[..days.len()].iter().all(|other| !overlap(partition, other)), "{partition:?}");
            assert!(missing[at + 1..].iter().all(|other| partition.name != other.name), "{missing:?}");
        }
        missing
    }

    fn names(period: Period, days: &[(&str, &str)], now: &str) -> Vec<String> {
        beside(period, days, now).into_iter().map(|missing| missing.name).collect()
    }

    #[test]
    fn partitions_go_on_where_the_last_one_ends() {
        let month = |days: &[(&str, &str)]| names(Period::Month, days, "2026-11-22T03:00:00Z");
        assert_eq!(month(&[("", "2026-12-01")]), ["receipts_2026_12_01", "receipts_2027_01_01"]);
        assert_eq!(month(&[("", "2027-02-01")]), [""; 0]);
        assert_eq!(month(&[("", "2020-01-01")])[0], "receipts_2026_11_01", "after a long rest");
        assert_eq!(month(&[("2026-11-01", "")]), [""; 0], "one without an end");
        let day = names(Period::Day, &[("", "2026-12-01")], "2026-11-25T00:00:00Z");
        assert_eq!(day, ["receipts_2026_12_01"]);
        let from_days_to_months = month(&[("2026-11-01", "2026-11-29")]);
        assert_eq!(from_days_to_months[..2], ["receipts_2026_11_29", "receipts_2026_12_01"]);
    }

    #[test]
    fn the_present_is_covered_whatever_stands_in_the_future() {
        let far = [("2099-08-01", "2099-09-01"), ("2099-09-01", "2099-10-01")];
        let now = "2026-11-22T03:00:00Z";
        let months = ["receipts_2026_11_01", "receipts_2026_12_01", "receipts_2027_01_01"];
        assert_eq!(names(Period::Month, &far, now), months);
        assert_eq!(names(Period::Day, &far, now).len(), 8);
        assert_eq!(Period::beyond(&beside(Period::Month, &[], now), time(now)), 0);
        assert_eq!(Period::beyond(&beside(Period::Month, &[], "2099-08-10T00:00:00Z"), time(now)), 3);
        // Gaps of all kinds, and periods of both kinds.
        let days = [("2026-11-24", "2026-11-25"), ("2026-11-27", "2026-11-28"), ("2026-12-01", "2027-01-01")];
        let filled = beside(Period::Day, &days, now);
        assert_eq!(filled.len(), 6, "{filled:?}");
        let filled = beside(Period::Month, &days, now);
        let bounds: Vec<_> = filled.iter().map(|p| (p.name.as_str(), p.to.unwrap().to_rfc3339())).collect();
        let expected = [
            ("receipts_2026_11_01", "2026-11-24T00:00:00+00:00"),
            ("receipts_2026_11_25", "2026-11-27T00:00:00+00:00"),
            ("receipts_2026_11_28", "2026-12-01T00:00:00+00:00"),
            ("receipts_2027_01_01", "2027-02-01T00:00:00+00:00"),
        ];
        assert_eq!(bounds, expected.map(|(name, to)| (name, to.to_owned())));
        let past = names(Period::Month, &[("2026-11-20", "2026-12-01")], now);
        assert_eq!(past[0], "receipts_2026_12_01", "what is past is not made");
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
