//! The UTC offsets of a time zone over a century, computed once for each zone.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, Mutex, PoisonError},
};

use chrono::{DateTime, Offset, TimeDelta, TimeZone};
use chrono_tz::Tz;

use crate::domain::Time;
use crate::storage::questions::filter::Window;

/// The days that are computed: 2000-01-01 to 2100-01-01 in UTC, in seconds since the Unix epoch.
const EARLIEST: i64 = 946_684_800;
const LATEST: i64 = 4_102_444_800;

/// The offsets of a zone's clock over a century, in seconds east of UTC.
#[derive(Debug)]
pub(in crate::storage) struct Calendar {
    /// The first day of each offset, by its UTC midnight, ascending.
    changes: Vec<(Time, i64)>,
}

/// Computed calendars. One takes 36,525 look-ups, and never changes.
static CALENDARS: LazyLock<Mutex<HashMap<Tz, Arc<Calendar>>>> = LazyLock::new(Mutex::default);

impl Calendar {
    /// The calendar of a zone, made when it is first asked for.
    pub fn of(zone: Tz) -> Arc<Self> {
        let mut calendars = CALENDARS.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(calendars.entry(zone).or_insert_with(|| Arc::new(Self::made(zone))))
    }

    fn made(zone: Tz) -> Self {
        let mut changes: Vec<(Time, i64)> = Vec::new();
        for day in (EARLIEST..=LATEST).step_by(86_400).filter_map(|day| DateTime::from_timestamp(day, 0)) {
            let offset = zone.offset_from_utc_datetime(&day.naive_utc()).fix().local_minus_utc().into();
            if changes.last().is_none_or(|&(_, before)| before != offset) {
                changes.push((day, offset));
            }
        }
        Self { changes }
    }

    /// The offsets in force within a window, one at least; an offset may come twice.
    pub fn offsets(&self, window: Window) -> Vec<i64> {
        // A change of the offset shows at the first midnight after it.
        let until = window.to.and_then(|to| to.checked_add_signed(TimeDelta::days(1)));
        let after = until.map_or(self.changes.len(), |until| {
            self.changes.partition_point(|&(from, _)| from <= until).max(1)
        });
        let first = window.from.map_or(0, |from| {
            self.changes[..after].partition_point(|&(since, _)| since <= from).saturating_sub(1)
        });
        self.changes[first..after].iter().map(|&(_, offset)| offset).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offsets(zone: Tz, from: Option<&str>, to: Option<&str>) -> Vec<i64> {
        let time = |text: &str| text.parse::<Time>().unwrap();
        Calendar::of(zone).offsets(Window { from: from.map(time), to: to.map(time) })
    }

    #[test]
    fn a_window_has_the_offsets_that_were_in_force_in_it() {
        let hours = |hours: i64| hours * 3600;
        let berlin = |from, to| offsets(Tz::Europe__Berlin, Some(from), Some(to));
        assert_eq!(berlin("2026-07-01T00:00:00Z", "2026-07-31T00:00:00Z"), [hours(2)]);
        assert_eq!(berlin("2026-10-25T00:30:00Z", "2026-10-25T02:00:00Z"), [hours(2), hours(1)]);
        assert_eq!(berlin("2026-03-29T00:00:00Z", "2026-03-29T00:30:00Z"), [hours(1), hours(2)], "a day on");
        assert_eq!(offsets(Tz::Asia__Kolkata, None, None), [hours(5) + 1800]);
        assert_eq!(offsets(Tz::Europe__Berlin, None, None).len(), 201, "two a year, and the first");
    }

    #[test]
    fn a_window_beyond_the_century_has_the_offset_of_its_end() {
        let only = |from, to| offsets(Tz::Europe__Berlin, Some(from), Some(to));
        assert_eq!(only("1990-07-01T00:00:00Z", "1990-07-02T00:00:00Z"), [3600]);
        assert_eq!(only("9999-07-01T00:00:00Z", "9999-07-02T00:00:00Z"), [3600]);
        assert_eq!(only("2026-07-02T00:00:00Z", "1990-07-01T00:00:00Z"), [3600], "nothing lies in it");
    }

    #[test]
    fn it_is_made_once() {
        assert!(Arc::ptr_eq(&Calendar::of(Tz::Asia__Dhaka), &Calendar::of(Tz::Asia__Dhaka)));
    }
}
