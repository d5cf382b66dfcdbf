//! Times as Exotel writes them: zone-less in the account's zone, or with an offset in one of many spellings.

use chrono::{Datelike, NaiveDate, NaiveDateTime, SubsecRound, Utc};
use chrono_tz::Tz;

use super::{Time, WrittenTime};

/// What a time field of a callback says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProviderTime {
    /// One of the spellings of "not sent": the Unix epoch in any zone, or a date of zeroes.
    NotSent,
    /// An instant.
    At(Time),
    /// A text that is no time, or none that can be meant.
    Unreadable,
}

/// How far any clock is from UTC, in seconds: the Unix epoch by a clock is no farther from the epoch.
const FARTHEST: i64 = 14 * 60 * 60;

impl ProviderTime {
    /// Reads `text`, which is trimmed and not empty; zone-less times are in `zone`.
    #[must_use]
    pub fn read(text: &str, zone: Tz) -> Self {
        let not_sent = ["1970-01-01", "1969-12-31", "0000-00-00"];
        if not_sent.iter().any(|date| text.starts_with(date)) {
            return Self::NotSent;
        }
        // Exotel's own spelling first.
        let instant = match as_in_reference(text) {
            Some(local) => local.and_local_timezone(zone).earliest().map(|time| time.with_timezone(&Utc)),
            None => WrittenTime::read(text).and_then(|written| written.instant(zone)),
        };
        match instant {
            Some(time) if (1971..=9999).contains(&time.year()) => Self::At(time.trunc_subsecs(6)),
            Some(time) if time.timestamp().abs() <= FARTHEST => Self::NotSent,
            _ => Self::Unreadable,
        }
    }
}

/// `YYYY-MM-DD HH:mm:ss`, as nearly all times are spelled, at a tenth of the instructions; none where it
/// is spelled otherwise, or needs a second look.
fn as_in_reference(text: &str) -> Option<NaiveDateTime> {
    let text: &[u8; 19] = text.as_bytes().try_into().ok()?;
    let separators = [(4, b'-'), (7, b'-'), (10, b' '), (13, b':'), (16, b':')];
    if separators.iter().any(|&(place, separator)| text[place] != separator) {
        return None;
    }
    let number = |digits: &[u8]| {
        let digit = |byte: &u8| byte.is_ascii_digit().then(|| u32::from(byte - b'0'));
        digits.iter().try_fold(0, |number, byte| Some(number * 10 + digit(byte)?))
    };
    let year = i32::try_from(number(&text[..4])?).ok()?;
    NaiveDate::from_ymd_opt(year, number(&text[5..7])?, number(&text[8..10])?)?.and_hms_opt(
        number(&text[11..13])?,
        number(&text[14..16])?,
        number(&text[17..])?,
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_short_way_reads_what_the_long_way_reads(
            text in "[0-9]{4}-[01][0-9]-[0-3][0-9] [0-2][0-9]:[0-6][0-9]:[0-6][0-9]|[0-9 :+-]{19}"
        ) {
            if let Some(time) = as_in_reference(&text) {
                prop_assert_eq!(WrittenTime::read(&text).map(|read| read.local()), Some(time));
            }
        }
    }

    fn read(text: &str) -> ProviderTime {
        ProviderTime::read(text, Tz::Asia__Kolkata)
    }

    fn at(rfc3339: &str) -> ProviderTime {
        ProviderTime::At(rfc3339.parse().unwrap())
    }

    #[test]
    fn the_short_way_is_for_the_spelling_of_the_reference() {
        assert_eq!(
            as_in_reference("2017-11-12 00:24:35").map(|time| time.to_string()),
            Some("2017-11-12 00:24:35".into())
        );
        for text in [
            "2017-11-12T00:24:35",
            "2017-11-12 00:24",
            "2017-02-30 00:24:35",
            "2016-12-31 23:59:60",
            "+017-11-12 00:24:35",
        ] {
            assert_eq!(as_in_reference(text), None, "{text}");
        }
    }

    #[test]
    fn zoneless_times_are_the_accounts() {
        assert_eq!(read("2017-11-12 00:24:35"), at("2017-11-11T18:54:35Z"));
        assert_eq!(read("2017-11-12 00:24"), at("2017-11-11T18:54:00Z"));
        assert_eq!(read("2017-11-12T00:24:35.25"), at("2017-11-11T18:54:35.25Z"));
        let berlin = ProviderTime::read("2024-10-27 02:30:00", Tz::Europe__Berlin);
        assert_eq!(berlin, at("2024-10-27T00:30:00Z"), "the earlier of two");
        let gap = ProviderTime::read("2024-03-31 02:30:00", Tz::Europe__Berlin);
        assert_eq!(gap, ProviderTime::Unreadable, "no clock showed it");
    }

    #[test]
    fn an_offset_overrules_the_zone() {
        for text in [
            "2025-01-15T10:30:00+05:30",
            "2025-01-15T10:30:00+0530",
            "2025-01-15 10:30:00+05:30",
            "2025-01-15T10:30:00 05:30",
            "2025-01-15 10:30:00 05:30",
            "2025-01-15T05:00:00Z",
            "2025-01-15 10:30:00 +0530",
            "2025-01-15 10:30:00 +05:30",
            "2025-01-15 05:00:00 UTC",
            "Wed, 15 Jan 2025 10:30:00 +0530",
        ] {
            assert_eq!(read(text), at("2025-01-15T05:00:00Z"), "{text}");
        }
    }

    #[test]
    fn not_sent_has_many_spellings() {
        for text in [
            "1970-01-01 05:30:00",
            "1970-01-01 00:00:00",
            "0000-00-00 00:00:00",
            "1970-01-01T05:30:00+05:30",
            "1970-01-01T00:00:00Z",
            "1969-12-31 19:00:00",
            "Thu, 01 Jan 1970 05:30:00 +0530",
            "01 Jan 1970 00:00:00 GMT",
        ] {
            assert_eq!(read(text), ProviderTime::NotSent, "{text}");
        }
    }

    #[test]
    fn what_is_no_time_says_so() {
        for text in [
            "<time>",
            "yesterday",
            "2024-13-01 00:00:00",
            "262142-01-01 00:00:00",
            "1024-01-01 00:00:00",
            "2025-01-15",
            "1970-06-01 00:00:00",
            "2025-01-15 10:30:00 CET",
        ] {
            assert_eq!(read(text), ProviderTime::Unreadable, "{text}");
        }
    }
}
