//! Rows of the spool's tables, told by their columns.

use super::page::Value;
use crate::{
    domain::{Source, Time},
    storage::spool::file::{QuarantinedRequest, SpooledRequest},
};

/// A row of one of the spool's tables.
#[derive(Debug)]
pub(super) enum Row {
    Spooled(SpooledRequest),
    Quarantined(QuarantinedRequest),
    /// That of a table of SQLite's, or of the migrations'.
    Other,
}

impl Row {
    /// Reads the columns in the order in which the migrations made them. None where they are a callback's
    /// but cannot be one.
    pub fn of(values: Vec<Value>) -> Option<Self> {
        let count = values.len();
        if count < 8 {
            return Some(Self::Other);
        }
        let mut values = values.into_iter();
        // The place stands outside of the row.
        values.next().filter(|id| *id == Value::Null)?;
        let request = SpooledRequest {
            id: 0,
            received_at: Time::from_timestamp_micros(integer(&values.next()?)?)?,
            account: text(values.next()?)?,
            method: text(values.next()?).filter(|method| ["GET", "POST"].contains(&&**method))?,
            content_type: optional(values.next()?)?,
            content_encoding: optional(values.next()?)?,
            query: text(values.next()?)?,
            body: blob(values.next()?)?,
            signed_for: None,
            source: <&str>::from(Source::Callback).to_owned(),
        };
        let mut texts = values.map(text);
        let mut next = || texts.next().flatten();
        let ninth = next();
        // A quarantined callback has its reason here, which is a sentence. A spooled one has the recipient whom its
        // URL was signed for, which holds no space.
        let reason = ninth.clone().filter(|ninth| count > 10 || ninth.contains(' '));
        let signed_for = if reason.is_some() { next() } else { ninth };
        // Rows that were written before the column was added end before it.
        let source = next().unwrap_or_else(|| request.source.clone());
        let request = SpooledRequest { signed_for, source, ..request };
        Some(match reason {
            Some(reason) => Self::Quarantined(QuarantinedRequest { request, reason }),
            None => Self::Spooled(request),
        })
    }

    fn is_spooled(&self) -> bool {
        matches!(self, Self::Spooled(_))
    }
}

/// The place of the first callback of a page; none where there is none. They are numbered without gaps, so
/// that most of them agree, however many are damaged.
pub(super) fn first(rows: &[(i64, Option<Row>)]) -> Option<i64> {
    let spooled = (0..).zip(rows).filter(|(_, (_, row))| row.as_ref().is_some_and(Row::is_spooled));
    let mut firsts: Vec<i64> = spooled.map(|(at, (id, _))| id.saturating_sub(at)).collect();
    firsts.sort_unstable();
    firsts.get(firsts.len() / 2).copied().filter(|first| *first > 0)
}

fn integer(value: &Value) -> Option<i64> {
    if let Value::Integer(number) = value { Some(*number) } else { None }
}

fn text(value: Value) -> Option<String> {
    if let Value::Text(text) = value { Some(text) } else { None }
}

#[expect(clippy::option_option, reason = "one for what cannot be read, one for what is not there")]
fn optional(value: Value) -> Option<Option<String>> {
    if value == Value::Null { Some(None) } else { text(value).map(Some) }
}

fn blob(value: Value) -> Option<Vec<u8>> {
    if let Value::Blob(bytes) = value { Some(bytes) } else { None }
}
