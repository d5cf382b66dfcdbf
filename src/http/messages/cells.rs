//! Cells of a sheet, as the XML of Office Open XML writes them (ECMA-376, part 1, 18.3.1.4).

use std::{borrow::Cow, fmt::Write};

use chrono::NaiveDate;
use chrono_tz::Tz;
use serde_json::Value;

use super::csv_rows::COLUMNS;
use crate::domain::Time;

/// The most that a cell holds, in units of UTF-16. Source: Excel's specifications and limits.
const LONGEST_TEXT: usize = 32_767;

/// How times are written.
#[derive(Clone, Copy, Debug)]
pub(super) struct TimeStyle {
    /// The zone whose clock is shown: a sheet knows of no zones.
    pub zone: Tz,
    /// The place among the workbook's styles of that for times.
    pub style: u32,
}

/// Whether a column holds times.
pub(super) fn holds_times(column: &str) -> bool {
    column.ends_with("_at")
}

/// Appends a row: texts as texts, so that no number loses digits and nothing is taken for a formula or a link.
pub(super) fn push_row(xml: &mut String, number: u32, message: &Value, times: TimeStyle) {
    let _ = write!(xml, "<row r=\"{number}\">");
    for (column, letter) in COLUMNS.iter().zip(b'A'..) {
        let reference = format_args!("r=\"{}{number}\"", char::from(letter));
        // Writing to memory does not fail.
        let _ = match &message[*column] {
            Value::Null => Ok(()),
            Value::Bool(flag) => write!(xml, "<c {reference} t=\"b\"><v>{}</v></c>", u8::from(*flag)),
            Value::Number(number) => write!(xml, "<c {reference}><v>{number}</v></c>"),
            Value::String(text) => match text.parse().ok().filter(|_| holds_times(column)) {
                Some(time) => {
                    let (style, days) = (times.style, days(time, times.zone));
                    write!(xml, "<c {reference} s=\"{style}\"><v>{days}</v></c>")
                }
                None => write!(xml, "<c {reference} t=\"inlineStr\">{}</c>", Inline(text)),
            },
            Value::Array(words) if words.is_empty() => Ok(()),
            Value::Array(words) => {
                let words: Vec<_> = words.iter().filter_map(Value::as_str).collect();
                write!(xml, "<c {reference} t=\"inlineStr\">{}</c>", Inline(&words.join(" ")))
            }
            Value::Object(labels) if labels.is_empty() => Ok(()),
            labels @ Value::Object(_) => {
                write!(xml, "<c {reference} t=\"inlineStr\">{}</c>", Inline(&labels.to_string()))
            }
        };
    }
    xml.push_str("</row>");
}

/// A time as sheets know it: days since the end of 1899 by the clock of a zone.
fn days(time: Time, zone: Tz) -> f64 {
    const MICROS: f64 = 86_400_000_000.0;
    let epoch = NaiveDate::from_ymd_opt(1899, 12, 30).and_then(|date| date.and_hms_opt(0, 0, 0));
    let since = time.with_timezone(&zone).naive_local() - epoch.expect("a date of the calendar");
    #[expect(clippy::cast_precision_loss, reason = "a sheet holds no more than milliseconds")]
    let micros = since.num_microseconds().expect("times end with the year 9999") as f64;
    micros / MICROS
}

/// A text within a cell.
struct Inline<'t>(&'t str);

impl std::fmt::Display for Inline<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("<is><t xml:space=\"preserve\">")?;
        let text = cut(self.0);
        for (at, c) in text.char_indices() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                // What looks like an escape is none.
                '_' if is_escape(&text[at..]) => f.write_str("_x005F_")?,
                // XML cannot hold these, and takes a carriage return for a line feed.
                '\0'..='\u{8}' | '\u{B}'..='\u{1F}' | '\u{FFFE}' | '\u{FFFF}' => {
                    write!(f, "_x{:04X}_", u32::from(c))?;
                }
                c => f.write_char(c)?,
            }
        }
        f.write_str("</t></is>")
    }
}

/// Whether it begins as control characters are escaped: `_x000D_`.
fn is_escape(text: &str) -> bool {
    let digits = text.strip_prefix("_x").and_then(|rest| rest.as_bytes().first_chunk::<5>());
    digits.is_some_and(|digits| digits[4] == b'_' && digits[..4].iter().all(u8::is_ascii_hexdigit))
}

/// As much of a text as a cell holds, with a mark where there is more.
fn cut(text: &str) -> Cow<'_, str> {
    let mut units = 0;
    let beyond = |(_, c): &(usize, char)| {
        units += c.len_utf16();
        units > LONGEST_TEXT - 1
    };
    // A text of fewer bytes has fewer units.
    let end = if text.len() <= LONGEST_TEXT { None } else { text.char_indices().find(beyond) };
    match end {
        Some((at, _)) if text[at..].chars().map(char::len_utf16).sum::<usize>() > 1 => {
            Cow::Owned(format!("{}…", &text[..at]))
        }
        _ => Cow::Borrowed(text),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const STYLE: TimeStyle = TimeStyle { zone: Tz::Asia__Kolkata, style: 2 };

    #[test]
    fn a_row_holds_texts_numbers_flags_and_times() {
        let message = json!({
            "sid": "1107160000000000123", "to_raw": "09812345670", "custom_field": "=1+1", "final": true,
            "detailed_status_code": 20005, "sent_at": "2025-01-15T05:00:00Z", "labels": {"a": "<b>"},
            "anomalies": ["bad_time", "bad_units"],
        });
        let mut xml = String::new();
        push_row(&mut xml, 7, &message, STYLE);
        assert_eq!(
            xml,
            "<row r=\"7\"><c r=\"A7\" t=\"inlineStr\"><is><t xml:space=\"preserve\">1107160000000000123</t></is></c>\
             <c r=\"D7\" t=\"inlineStr\"><is><t xml:space=\"preserve\">09812345670</t></is></c>\
             <c r=\"F7\" t=\"b\"><v>1</v></c><c r=\"I7\"><v>20005</v></c>\
             <c r=\"O7\" s=\"2\"><v>45672.4375</v></c>\
             <c r=\"P7\" t=\"inlineStr\"><is><t xml:space=\"preserve\">=1+1</t></is></c>\
             <c r=\"Q7\" t=\"inlineStr\"><is><t xml:space=\"preserve\">{\"a\":\"&lt;b&gt;\"}</t></is></c>\
             <c r=\"R7\" t=\"inlineStr\"><is><t xml:space=\"preserve\">bad_time bad_units</t></is></c></row>"
        );
    }

    #[test]
    fn whatever_a_text_holds_it_is_xml() {
        let written = |text: &str| Inline(text).to_string();
        for (text, inner) in [
            ("a & <b>", "a &amp; &lt;b&gt;"),
            ("\u{1}\r\n\t\u{FFFF}", "_x0001__x000D_\n\t_xFFFF_"),
            ("_x000D_ _x00", "_x005F_x000D_ _x00"),
            ("हिन्दी 😀", "हिन्दी 😀"),
        ] {
            assert_eq!(written(text), format!("<is><t xml:space=\"preserve\">{inner}</t></is>"), "{text:?}");
        }
    }

    #[test]
    fn a_text_that_is_too_long_is_cut_and_says_so() {
        for whole in ["x".repeat(LONGEST_TEXT), "ह".repeat(LONGEST_TEXT), "😀".repeat(LONGEST_TEXT / 2) + "x"]
        {
            assert_eq!(cut(&whole), whole);
            let longer = cut(&format!("{whole}y")).into_owned();
            let full = (LONGEST_TEXT - 1..=LONGEST_TEXT).contains(&longer.encode_utf16().count());
            assert!(longer.ends_with('…') && full);
        }
    }
}
