//! Times as Exotel writes them: zone-less in the account's zone, or ISO 8601 with an offset.

use std::borrow::Cow;

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, SubsecRound, Utc};
use chrono_tz::Tz;

use super::Time;

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

/// Zone-less spellings. Source: Exotel's reference writes `YYYY-MM-DD HH:mm:ss`, in India time on
/// Indian accounts; some pages have a `T`.
const ZONELESS: [&str; 3] = ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M"];
/// An offset without a colon, which RFC 3339 does not allow.
const COMPACT_OFFSET: [&str; 2] = ["%Y-%m-%dT%H:%M:%S%.f%z", "%Y-%m-%d %H:%M:%S%.f%z"];

impl ProviderTime {
    /// Reads `text`, which is trimmed and not empty; zone-less times are in `zone`.
    #[must_use]
    pub fn read(text: &str, zone: Tz) -> Self {
        let not_sent = ["1970-01-01", "1969-12-31", "0000-00-00"];
        if not_sent.iter().any(|date| text.starts_with(date)) {
            return Self::NotSent;
        }
        // Exotel's own spelling first.
        let instant = zoneless(text, zone).or_else(|| with_offset(text));
        match instant.filter(|time| (1971..=9999).contains(&time.year())) {
            Some(time) => Self::At(time.trunc_subsecs(6)),
            None => Self::Unreadable,
        }
    }
}

fn with_offset(text: &str) -> Option<Time> {
    let text = &*with_its_plus(text);
    let compact = |format: &&str| DateTime::parse_from_str(text, format).ok();
    let parsed = DateTime::parse_from_rfc3339(text).ok();
    Some(parsed.or_else(|| COMPACT_OFFSET.iter().find_map(compact))?.with_timezone(&Utc))
}

/// A plus that was not encoded arrives as a space: `2025-01-15T10:30:00 05:30`.
fn with_its_plus(text: &str) -> Cow<'_, str> {
    match text.rsplit_once(' ') {
        Some((time, offset)) if time.contains(':') => format!("{time}+{offset}").into(),
        _ => text.into(),
    }
}

/// The earlier instant where a clock was set back; none where it was set forward over the time.
fn zoneless(text: &str, zone: Tz) -> Option<Time> {
    let plain = |format: &&str| NaiveDateTime::parse_from_str(text, format).ok();
    let local = as_in_reference(text).or_else(|| ZONELESS.iter().find_map(plain))?;
    Some(local.and_local_timezone(zone).earliest()?.with_timezone(&Utc))
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
                prop_assert_eq!(NaiveDateTime::parse_from_str(&text, ZONELESS[0]), Ok(time));
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
        ] {
            assert_eq!(read(text), ProviderTime::NotSent, "{text}");
        }
    }

    #[test]
    fn what_is_no_time_says_so() {
        for text in
            ["<time>", "yesterday", "2024-13-01 00:00:00", "262142-01-01 00:00:00", "1024-01-01 00:00:00"]
        {
            assert_eq!(read(text), ProviderTime::Unreadable, "{text}");
        }
    }
}
