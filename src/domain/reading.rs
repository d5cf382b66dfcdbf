//! What a callback's code, detailed name and status say together: the code decides before the name,
//! the name before the status.

use std::borrow::Cow;

use super::{
    Anomalies, Anomaly, Field, ReportedStatus, StatusCallback, StatusCode, StatusTable, Verdict,
    classification::Classification, status::same_word,
};

/// The longest status or name that is kept as such where it is in no table, in characters; the raw
/// fields keep all of it.
const LONGEST_WORD: usize = 100;

/// The code, name and status of a callback, as received and as the table knows them.
pub(super) struct Reading<'a> {
    code_text: Option<&'a str>,
    code: Option<i32>,
    coded: Option<&'a StatusCode>,
    name_text: Option<&'a str>,
    named: Option<&'a StatusCode>,
    status_text: Option<&'a str>,
    status: Option<ReportedStatus>,
    status_as_name: Option<&'a StatusCode>,
}

impl<'a> Reading<'a> {
    /// Looks them up.
    pub fn of(callback: &'a StatusCallback, table: &'a StatusTable) -> Self {
        let code_text = callback.code();
        let code = code_text.and_then(whole_number).filter(|&code| code > 0);
        let name_text = callback.get(Field::DetailedStatus);
        let status_text = callback.get(Field::Status);
        let status = status_text.and_then(ReportedStatus::read);
        let status_as_name = status_text.filter(|_| status.is_none()).and_then(|text| table.by_name(text));
        Self {
            code_text,
            code,
            coded: code.and_then(|code| table.by_code(code)),
            name_text,
            named: name_text.and_then(|name| table.by_name(name)).or(status_as_name),
            status_text,
            status,
            status_as_name,
        }
    }

    /// The entry of the table that decides, if any does.
    fn entry(&self) -> Option<&'a StatusCode> {
        self.coded.or(self.named)
    }

    /// What is unknown or contradictory.
    pub fn anomalies(&self) -> Anomalies {
        let mut anomalies = Anomalies::NONE;
        anomalies.insert_if(self.code_text.is_some() && self.coded.is_none(), Anomaly::UnknownCode);
        let readable = self.status.is_some() || self.status_as_name.is_some();
        anomalies.insert_if(self.status_text.is_some() && !readable, Anomaly::UnknownStatus);
        if let Some(coded) = self.coded {
            let other_name = self.name_text.is_some_and(|name| !same_word(name, &coded.name));
            let other_in_status = self.status_as_name.is_some_and(|named| named.code != coded.code);
            anomalies.insert_if(other_name || other_in_status, Anomaly::NameCodeMismatch);
        }
        let contradicted =
            self.entry().zip(self.status).is_some_and(|(entry, said)| !said.agrees_with(entry.status));
        anomalies.insert_if(contradicted, Anomaly::StatusCodeMismatch);
        anomalies
    }

    /// What is decided, but for the time.
    pub fn verdict(&self) -> Verdict {
        let entry = self.entry();
        let class = entry.map(StatusCode::classify).or(self.status.map(ReportedStatus::classify));
        let class = class.unwrap_or(Classification::UNRECOGNISED);
        // A name says which code was meant, but not where another code was given.
        let meant = entry.filter(|_| self.code_text.is_none());
        let status = entry.map(|entry| entry.status).or(self.status.map(|said| said.status));
        Verdict {
            evidence: class.evidence,
            sent_at: None,
            specific: self.coded.or(meant).is_some_and(StatusCode::is_specific),
            code: self.code.or(meant.map(|entry| entry.code)),
            name: entry.map(|entry| entry.name.clone()).or_else(|| Some(word(self.name_text?))),
            status: status
                .map(|status| Cow::Borrowed(status.into()))
                .or_else(|| Some(word(self.status_text?))),
            outcome: class.outcome,
            category: class.category,
            retry: class.retry,
            confirmed_by: class.confirmed_by,
        }
    }
}

/// A whole number, also as `20005.0`, which some JSON encoders make of one.
pub(super) fn whole_number(text: &str) -> Option<i32> {
    text.strip_suffix(".0").unwrap_or(text).parse().ok()
}

fn word(text: &str) -> Cow<'static, str> {
    Cow::Owned(text.chars().take(LONGEST_WORD).collect())
}
