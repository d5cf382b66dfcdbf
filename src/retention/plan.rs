//! Decides what is too old, and what happens to a partition. Pure.

use chrono::TimeDelta;

use super::{Period, RetentionConfig};
use crate::{
    domain::Time,
    storage::{Keep, Partition},
};

/// How long everything is kept.
#[derive(Clone, Copy, Debug)]
pub struct Retention {
    /// Messages and receipts.
    pub config: RetentionConfig,
    /// Refused bodies.
    pub rejected: Keep,
}

/// What happens to a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It stays as it is.
    Stays,
    /// What is older than this is deleted.
    IsSwept(Time),
    /// It is dropped whole.
    IsDropped,
}

impl Retention {
    /// Messages whose last receipt is older than this are deleted; none: they are kept for ever.
    pub(super) fn messages_before(&self, now: Time) -> Option<Time> {
        days_before(now, self.config.messages_days)
    }

    /// Receipts older than this are deleted; none: they are kept for ever. Receipts are never kept longer than messages.
    pub(super) fn receipts_before(&self, now: Time) -> Option<Time> {
        let RetentionConfig { receipts_days, messages_days, .. } = self.config;
        days_before(now, if receipts_days == 0 { messages_days } else { receipts_days })
    }

    pub(super) fn period(&self) -> Period {
        self.config.partition
    }

    /// What happens to a partition. The first one holds what was received before there were partitions: of it, as much is deleted as
    /// would have been dropped with partitions, and at last it is dropped itself.
    pub(super) fn fate(&self, partition: &Partition, now: Time) -> Fate {
        match (self.receipts_before(now), partition) {
            (Some(before), Partition { to: Some(to), .. }) if *to <= before => Fate::IsDropped,
            (Some(before), Partition { to: None, .. }) => Fate::IsSwept(before),
            (Some(before), Partition { from: None, .. }) => Fate::IsSwept(self.period().start(before)),
            _ => Fate::Stays,
        }
    }
}

fn days_before(now: Time, days: u32) -> Option<Time> {
    let before = now.checked_sub_signed(TimeDelta::days(days.into()));
    // Postgres' times begin later than chrono's.
    (days > 0).then(|| before.unwrap_or(Time::UNIX_EPOCH).max(Time::UNIX_EPOCH))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn partitions_go_once_all_that_they_may_hold_is_too_old() {
        let config = RetentionConfig { receipts_days: 30, messages_days: 0, partition: Period::Month };
        let retention = Retention { config, rejected: Keep { count: 0, age: Duration::ZERO } };
        let time = |text: &str| text.parse::<Time>().unwrap();
        let fate = |from: Option<&str>, to: Option<&str>| {
            let partition = Partition { name: "p".into(), from: from.map(time), to: to.map(time) };
            retention.fate(&partition, time("2026-11-22T03:00:00Z"))
        };
        let (september, october) = ("2026-09-01T00:00:00Z", "2026-10-01T00:00:00Z");
        let november = "2026-11-01T00:00:00Z";
        assert_eq!(fate(Some(september), Some(october)), Fate::IsDropped);
        assert_eq!(fate(Some(october), Some(november)), Fate::Stays);
        assert_eq!(fate(None, Some(november)), Fate::IsSwept(time(october)));
        assert_eq!(fate(None, Some(october)), Fate::IsDropped);
        assert_eq!(fate(None, None), Fate::IsSwept(time("2026-10-23T03:00:00Z")));
        let for_ever = RetentionConfig { receipts_days: 0, messages_days: 0, partition: Period::Month };
        let for_ever = Retention { config: for_ever, ..retention };
        let old = Partition { name: "p".into(), from: None, to: Some(time(september)) };
        assert_eq!(for_ever.fate(&old, time(november)), Fate::Stays);
        let with_messages = RetentionConfig { messages_days: 30, ..for_ever.config };
        let with_messages = Retention { config: with_messages, ..retention };
        assert_eq!(with_messages.fate(&old, time(november)), Fate::IsDropped);
        let beyond_all_times = RetentionConfig { receipts_days: u32::MAX, ..for_ever.config };
        let beyond_all_times = Retention { config: beyond_all_times, ..retention };
        assert_eq!(beyond_all_times.receipts_before(time(november)), Some(Time::UNIX_EPOCH));
    }
}
