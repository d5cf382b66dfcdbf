//! Times as programs write them: a date, the time of a clock, and perhaps an offset or the name of a zone.

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime, Offset, TimeDelta, TimeZone, Timelike, Utc};
use chrono_tz::{OffsetName, Tz};

use super::Time;

/// A date and the time of a clock, and whose clock it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WrittenTime<'t> {
    local: NaiveDateTime,
    zone: ZoneOfClock<'t>,
}

/// Whose clock a time is written by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ZoneOfClock<'t> {
    /// Nothing is said.
    Unsaid,
    /// One that is so far ahead of UTC.
    Ahead(FixedOffset),
    /// One of a zone, by the abbreviation of its name. `IST` alone is India's, Israel's or Ireland's, so that it is
    /// read only where the zone in question calls itself so.
    Abbreviated(&'t str),
}

/// Dates and times without an offset. Sources: Exotel's reference (the first), ISO 8601, and RFC 5322, which the
/// first version of Exotel's API writes elsewhere.
const LOCAL: [&str; 10] = [
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%dt%H:%M:%S%.f",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%dT%H:%M",
    "%Y-%m-%dt%H:%M",
    "%a, %d %b %Y %H:%M:%S",
    "%a, %d %b %Y %H:%M",
    "%d %b %Y %H:%M:%S",
    "%d %b %Y %H:%M",
];

impl<'t> WrittenTime<'t> {
    /// Reads a date with a time.
    #[must_use]
    pub fn read(text: &'t str) -> Option<Self> {
        // The time of the clock ends where something else than digits follows its first colon.
        let colon = text.find(':')?;
        let digits = |c: char| c.is_ascii_digit() || c == ':' || c == '.';
        let end = text[colon..].find(|c| !digits(c)).map_or(text.len(), |at| colon + at);
        let (local, zone) = text.split_at(end);
        let local = LOCAL.iter().find_map(|format| NaiveDateTime::parse_from_str(local, format).ok())?;
        Some(Self { local, zone: ZoneOfClock::read(zone.trim())? })
    }

    /// The same, or a date alone, which is its midnight.
    #[must_use]
    pub fn read_with_or_without_time(text: &'t str) -> Option<Self> {
        let date = || NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?.and_hms_opt(0, 0, 0);
        Self::read(text).or_else(|| Some(Self { local: date()?, zone: ZoneOfClock::Unsaid }))
    }

    /// What the clock shows.
    #[must_use]
    pub fn local(&self) -> NaiveDateTime {
        self.local
    }

    /// Whether it is the same instant wherever it is read.
    #[must_use]
    pub fn has_offset(&self) -> bool {
        matches!(self.zone, ZoneOfClock::Ahead(_))
    }

    /// The instant, for a reader in `zone`: the earlier one where a clock was set back, unless the abbreviation says
    /// which; none where it was set forward over the time.
    #[must_use]
    pub fn instant(&self, zone: Tz) -> Option<Time> {
        let utc = |time: DateTime<Tz>| time.with_timezone(&Utc);
        let read = zone.from_local_datetime(&self.local);
        match self.zone {
            ZoneOfClock::Unsaid => read.earliest().map(utc),
            ZoneOfClock::Ahead(offset) => {
                let time = self.local.checked_sub_offset(offset)?;
                Some(time.and_utc())
            }
            ZoneOfClock::Abbreviated(name) => {
                let is_named = |time: &DateTime<Tz>| {
                    time.offset().abbreviation().is_some_and(|own| own.eq_ignore_ascii_case(name))
                };
                let both = [read.earliest(), read.latest()];
                both.into_iter().flatten().find(is_named).map(utc)
            }
        }
    }

    /// The same, but where a clock was set forward over the time, the instant when it was. Windows that adjoin still
    /// do.
    #[must_use]
    pub fn instant_or_leap(&self, zone: Tz) -> Option<Time> {
        let later = || {
            let minute = self.local.with_second(0)?.with_nanosecond(0)?;
            // A whole day at most, which was left out where a country moved across the date line.
            let minutes = (1..=24 * 60).map(|minutes| minute.checked_add_signed(TimeDelta::minutes(minutes)));
            minutes.flatten().find_map(|local| zone.from_local_datetime(&local).earliest())
        };
        match self.zone {
            ZoneOfClock::Unsaid => {
                let leap = || later().map(|time| time.with_timezone(&Utc));
                self.instant(zone).or_else(leap)
            }
            _ => self.instant(zone),
        }
    }
}

impl<'t> ZoneOfClock<'t> {
    fn read(text: &'t str) -> Option<Self> {
        // Some repeat the offset in words, in brackets or behind a space.
        let text = text.split('(').next()?.trim_end();
        let is_word = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphabetic());
        if text.is_empty() {
            return Some(Self::Unsaid);
        }
        for name in ["UTC", "GMT", "UT", "Z"] {
            let Some((start, rest)) = text.split_at_checked(name.len()) else { continue };
            let rest = rest.trim_start();
            let ends = rest.is_empty() || !rest.starts_with(|c: char| c.is_ascii_alphabetic());
            if start.eq_ignore_ascii_case(name) && ends {
                return Some(Self::Ahead(if rest.is_empty() { Utc.fix() } else { offset(rest)? }));
            }
        }
        if is_word(text) {
            return Some(Self::Abbreviated(text));
        }
        let (numbers, word) = text.split_once(' ').unwrap_or((text, ""));
        is_word(word.trim_start()).then(|| offset(numbers).map(Self::Ahead))?
    }
}

/// `+05:30`, `+0530`, `+05` or `+5:30`; without its plus, which arrives as a space where it was not encoded,
/// `05:30` or `0530`.
fn offset(text: &str) -> Option<FixedOffset> {
    let (sign, digits) = match text.strip_prefix(['-', '\u{2212}']) {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let is_signed = digits.len() < text.len();
    let (hours, minutes) = match digits.split_once(':') {
        Some((hours, minutes)) if !minutes.is_empty() => (hours, minutes),
        Some(_) => return None,
        None => digits.split_at_checked(2).unwrap_or((digits, "")),
    };
    let number = |text: &str| {
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| text.parse::<i32>().ok()).flatten()
    };
    let hours = number(hours).filter(|_| (1..=2).contains(&hours.len()))?;
    let minutes = match minutes {
        "" if is_signed => 0,
        minutes => number(minutes).filter(|&number| minutes.len() == 2 && number < 60)?,
    };
    FixedOffset::east_opt(sign * (hours * 60 + minutes) * 60)
}

#[cfg(test)]
mod tests {
    use chrono::SubsecRound;
    use proptest::{prelude::*, sample::select};

    use super::*;

    const INDIA: Tz = Tz::Asia__Kolkata;
    const BERLIN: Tz = Tz::Europe__Berlin;

    fn in_india(text: &str) -> Option<String> {
        let time = WrittenTime::read(text)?.instant(INDIA)?;
        Some(time.to_rfc3339())
    }

    #[test]
    fn an_offset_has_many_spellings() {
        for text in [
            "2026-11-25 10:00:00 +0530",
            "2026-11-25 10:00:00 +05:30",
            "2026-11-25 10:00:00+0530",
            "2026-11-25 10:00:00+05:30",
            "2026-11-25T10:00:00 +05:30",
            "2026-11-25T10:00:00  05:30",
            "2026-11-25 10:00:00 0530",
            "2026-11-25 10:00 +5:30",
            "2026-11-25 10:00:00.000 +0530 IST",
            "2026-11-25 10:00:00 +0530 (India Standard Time)",
            "2026-11-25t10:00:00 gmt+05:30",
            "2026-11-25 10:00:00 UTC +5:30",
            "2026-11-25 10:00:00 UTC 05:30",
            "2026-11-25 10:00:00 IST",
            "2026-11-25 10:00:00 ist",
            "2026-11-25T04:30:00Z",
            "2026-11-25t04:30:00z",
            "2026-11-25 04:30:00 UTC",
            "2026-11-25 04:30:00 GMT",
            "2026-11-25 04:30:00 -00:00",
            "2026-11-25 04:30:00+00",
            "2026-11-25 09:30:00 +05",
            "2026-11-24 23:30:00 -05",
            "2026-11-24 23:30:00 \u{2212}05:00",
            "Wed, 25 Nov 2026 10:00:00 +0530",
            "wed, 25 nov 2026 10:00 0530",
            "25 Nov 2026 04:30:00 GMT",
            "25 Nov 2026 10:00:00",
            "2026-11-25 10:00",
        ] {
            assert_eq!(in_india(text).as_deref(), Some("2026-11-25T04:30:00+00:00"), "{text}");
        }
    }

    #[test]
    fn what_could_be_two_times_or_none_is_not_read() {
        for text in [
            "2026-11-25",
            "2026-11-25 10:00:00 PM",
            "2026-11-25 10:00:00 CET",
            "2026-11-25 10:00:00 05",
            "2026-11-25 10:00:00 +05:3",
            "2026-11-25 10:00:00 +05:",
            "2026-11-25 10:00:00 +0560",
            "2026-11-25 10:00:00 +24:00",
            "2026-11-25 10:00:00 +",
            "2026-11-25 10:00:00 ++05:30",
            "2026-11-25 10:00:00 +05:30 at night",
            "2026-11-25 10:00:00 UTCX",
            "2026-11-25 10:00:00 é",
            "Thu, 25 Nov 2026 10:00:00 +0530",
            "25/11/2026 10:00:00",
            ":",
            "+05:30",
        ] {
            assert_eq!(in_india(text), None, "{text}");
        }
    }

    #[test]
    fn a_clock_that_is_set_back_or_forward() {
        let berlin = |text: &str| WrittenTime::read(text)?.instant(BERLIN).map(|time| time.to_rfc3339());
        let twice = "2024-10-27 02:30:00";
        assert_eq!(berlin(twice).as_deref(), Some("2024-10-27T00:30:00+00:00"), "the earlier of two");
        assert_eq!(berlin(&format!("{twice} CEST")).as_deref(), Some("2024-10-27T00:30:00+00:00"));
        assert_eq!(berlin(&format!("{twice} CET")).as_deref(), Some("2024-10-27T01:30:00+00:00"));
        assert_eq!(berlin("2024-03-31 02:30:00"), None, "no clock showed it");
        assert_eq!(berlin("2024-03-31 02:30:00 CET"), None);
    }

    #[test]
    fn a_bound_that_no_clock_showed_is_when_it_was_set_forward() {
        let bound = |text: &str, zone| {
            let written = WrittenTime::read_with_or_without_time(text).unwrap();
            written.instant_or_leap(zone).unwrap().to_rfc3339()
        };
        assert_eq!(bound("2026-11-25", INDIA), "2026-11-24T18:30:00+00:00");
        assert_eq!(bound("2024-03-31 02:30:59.5", BERLIN), "2024-03-31T01:00:00+00:00");
        assert_eq!(bound("2024-10-27 02:30", BERLIN), "2024-10-27T00:30:00+00:00");
        assert_eq!(bound("2024-04-26", Tz::Africa__Cairo), "2024-04-25T22:00:00+00:00", "no midnight");
        assert_eq!(bound("2011-12-30", Tz::Pacific__Apia), "2011-12-30T10:00:00+00:00", "no such day");
    }

    /// The spellings of one instant by a clock that is `minutes` ahead of UTC.
    fn spellings(time: Time, minutes: i32) -> Vec<String> {
        let local = time.with_timezone(&FixedOffset::east_opt(minutes * 60).unwrap());
        let mut spellings = vec![local.to_rfc2822(), local.to_rfc3339(), time.to_rfc3339()];
        for date in ["%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%a, %d %b %Y %H:%M:%S", "%d %b %Y %H:%M:%S"] {
            for end in ["%z", "%:z", " %z", " %:z", "  %z", " GMT%:z", " UTC %z", " %z (here)"] {
                spellings.push(local.format(&format!("{date}{end}")).to_string());
            }
            if minutes >= 0 {
                let unencoded = |end| local.format(&format!("{date}{end}")).to_string().replace('+', " ");
                spellings.extend(["%z", "%:z", " %z", " %:z"].map(unencoded));
            }
        }
        spellings
    }

    proptest! {
        #[test]
        fn every_spelling_of_an_instant_is_that_instant(
            second in 40_000_000_i64..4_000_000_000, minutes in -14 * 60..14 * 60, zone in select(vec![INDIA, BERLIN]),
        ) {
            let time = Time::from_timestamp(second, 0).unwrap();
            for text in spellings(time, minutes) {
                let read = WrittenTime::read(&text);
                prop_assert_eq!(read.and_then(|read| read.instant(zone)), Some(time), "{}", text);
            }
        }

        #[test]
        fn the_zones_own_name_says_which_of_two(second in 40_000_000_i64..2_000_000_000) {
            let time = Time::from_timestamp(second, 0).unwrap();
            let text = time.with_timezone(&BERLIN).format("%Y-%m-%d %H:%M:%S %Z").to_string();
            prop_assert_eq!(WrittenTime::read(&text).and_then(|read| read.instant(BERLIN)), Some(time), "{}", text);
        }

        #[test]
        fn a_bound_is_an_instant_and_later_ones_are_not_earlier(
            second in 40_000_000_i64..2_000_000_000, zone in select(vec![INDIA, BERLIN, Tz::Africa__Cairo]),
        ) {
            let local = Time::from_timestamp(second, 0).unwrap().trunc_subsecs(0).naive_utc();
            let bound = |local: NaiveDateTime| WrittenTime { local, zone: ZoneOfClock::Unsaid }.instant_or_leap(zone).unwrap();
            prop_assert!(bound(local) <= bound(local + TimeDelta::hours(2)));
        }

        #[test]
        fn any_text_is_read_or_not(text in "[0-9:TtZzUGMIS +.(,-]{0,30}|\\PC{0,20}") {
            if let Some(time) = WrittenTime::read(&text) {
                let _ = (time.instant(BERLIN), time.instant_or_leap(INDIA));
            }
        }
    }
}
