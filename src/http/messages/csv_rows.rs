//! Messages as rows of a table, as programs and spreadsheets read them.

use std::borrow::Cow;

use axum::body::Bytes;
use serde_json::{Value, json};

use crate::answers::MessageView;

/// The names of the columns: those of the JSON.
pub(super) const COLUMNS: [&str; 21] = [
    "sid",
    "account",
    "to",
    "to_raw",
    "outcome",
    "final",
    "confirmed_by",
    "status",
    "detailed_status_code",
    "detailed_status",
    "meaning",
    "category",
    "retry",
    "sms_units",
    "sent_at",
    "custom_field",
    "labels",
    "anomalies",
    "first_received_at",
    "last_received_at",
    "callbacks",
];

/// The line of names.
pub(super) fn head() -> Bytes {
    written(|writer| writer.write_record(COLUMNS))
}

/// A line for each message.
pub(super) fn rows<'m>(messages: impl Iterator<Item = MessageView<'m>>) -> Bytes {
    written(|writer| {
        for message in messages {
            let message = json!(message);
            writer.write_record(COLUMNS.iter().map(|column| cell(&message[*column]).into_owned()))?;
        }
        Ok(())
    })
}

fn written(write: impl FnOnce(&mut csv::Writer<Vec<u8>>) -> csv::Result<()>) -> Bytes {
    let mut writer = csv::Writer::from_writer(Vec::new());
    write(&mut writer).expect("all rows are as long, and memory takes them");
    writer.into_inner().expect("memory takes the last rows too").into()
}

/// A value as a cell. Labels stay JSON; anomalies are words with spaces between them.
fn cell(value: &Value) -> Cow<'_, str> {
    match value {
        Value::Null => Cow::Borrowed(""),
        Value::String(text) => harmless(text),
        Value::Array(words) => {
            Cow::Owned(words.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" "))
        }
        Value::Object(labels) if labels.is_empty() => Cow::Borrowed(""),
        other => Cow::Owned(other.to_string()),
    }
}

/// A text that no spreadsheet takes for a formula. A number like +919812345670 is quoted as well: what
/// begins like a formula is.
fn harmless(text: &str) -> Cow<'_, str> {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}").into() } else { text.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_a_formula_is_quoted() {
        for formula in ["=1+1", "+919812345670", "-1", "@SUM(A1)", "\t=1", "\r=1"] {
            assert_eq!(cell(&json!(formula)), format!("'{formula}"));
        }
        assert_eq!(cell(&json!("a=b")), "a=b");
        assert_eq!(cell(&json!({"k": "=v"})), "{\"k\":\"=v\"}");
        assert_eq!(
            (cell(&json!(null)), cell(&json!(7)), cell(&json!(["a", "b"]))),
            ("".into(), "7".into(), "a b".into())
        );
    }
}
