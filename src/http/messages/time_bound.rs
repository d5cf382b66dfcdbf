//! The ends of windows of time: `received_from`, `sent_to` and the like.

use std::collections::BTreeSet;

use chrono::{DateTime, Datelike, SubsecRound};

use crate::{
    domain::{Account, Time, WrittenTime},
    http::Problem,
};

/// An end of a window as it was written. Without an offset it is an instant only once the accounts are known that
/// are asked for.
pub(super) struct TimeBound {
    name: &'static str,
    text: String,
}

impl TimeBound {
    /// Takes a date or a time.
    pub fn read(name: &'static str, value: &str) -> Result<Self, Problem> {
        let fault = "must be a time as RFC 3339 writes it, such as 2026-11-21T18:30:00+05:30, or a date such as 2026-11-21; \
                     without an offset it is by the clock of the account";
        let text = value.trim();
        let readable = WrittenTime::read_with_or_without_time(text);
        readable.map(|_| Self { name, text: text.to_owned() }).ok_or_else(|| Problem::parameter(name, fault))
    }

    /// The parameter that it is the value of.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The instant. What has no offset is by the clock of `accounts`, where they all mean the same: a date is its first
    /// moment, a time that was shown twice is the first, and one that was skipped is when the clock was set forward.
    pub fn instant<'a>(&self, accounts: impl Iterator<Item = &'a Account> + Clone) -> Result<Time, Problem> {
        let name = self.name;
        let no_time =
            || Problem::parameter(name, "is no time by the clock of the account; write it with an offset");
        let written = WrittenTime::read_with_or_without_time(&self.text).ok_or_else(no_time)?;
        if written.has_offset() {
            let time = written.instant(chrono_tz::Tz::UTC).filter(|time| is_storable(*time));
            return time.map(|time| time.trunc_subsecs(6)).ok_or_else(|| out_of_range(name));
        }
        if !(1970..=9999).contains(&written.local().year()) {
            return Err(out_of_range(name));
        }
        let mut instants = accounts.clone().map(|account| written.instant_or_leap(account.time_zone));
        let Some(first) = instants.next() else { return Err(no_time()) };
        if instants.any(|instant| instant != first) {
            return Err(ambiguous(name, accounts));
        }
        // The first and the last hours of these years by a clock may be beyond them.
        let time = first.ok_or_else(no_time)?.clamp(Time::UNIX_EPOCH, last());
        Ok(time.trunc_subsecs(6))
    }
}

/// The last instant that both databases and chrono hold.
fn last() -> Time {
    DateTime::from_timestamp(253_402_300_799, 999_999_000).unwrap_or(Time::MAX_UTC)
}

fn is_storable(time: Time) -> bool {
    (Time::UNIX_EPOCH..=last()).contains(&time.trunc_subsecs(6))
}

fn out_of_range(name: &str) -> Problem {
    Problem::parameter(name, "must lie between the years 1970 and 9999")
}

fn ambiguous<'a>(name: &str, accounts: impl Iterator<Item = &'a Account>) -> Problem {
    let zones: BTreeSet<&str> = accounts.map(|account| account.time_zone.name()).collect();
    let zones: Vec<&str> = zones.into_iter().collect();
    let fault = format!(
        "has no offset, and the accounts that are asked for have different time zones ({}); write it with an offset, \
         such as 2026-11-21T18:30:00+05:30, or ask for accounts of one zone with `account`",
        zones.join(", ")
    );
    Problem::parameter(name, fault).with("time_zones", zones)
}
