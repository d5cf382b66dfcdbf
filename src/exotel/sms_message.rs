//! `SMSMessage`: a message as the first version of Exotel's API writes it, in JSON and in XML.
//!
//! Source: Exotel's reference of SMS details. What callbacks do not say is null, or an empty element, but for the times
//! of its creation and its last change, for which those of its callbacks stand in.

use chrono_tz::Tz;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;

use super::{AnswerFormat, Said};
use crate::domain::{Message, Outcome, ProviderTime, Time, Verdict};

/// Characters that are not encoded in a path segment. Source: RFC 3986, unreserved characters.
const ENCODED: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A message, its members in the order of the reference.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct SmsMessage {
    sid: String,
    account_sid: String,
    from: Option<String>,
    to: Option<String>,
    date_created: String,
    date_updated: String,
    date_sent: Option<String>,
    body: Option<String>,
    direction: Option<String>,
    uri: String,
    api_version: Option<String>,
    price: Option<String>,
    status: Option<String>,
    detailed_status_code: Option<String>,
    detailed_status: Option<String>,
    sms_units: Option<i32>,
    #[serde(skip)]
    format: AnswerFormat,
}

/// What an answer depends on beside the message.
#[derive(Clone, Copy, Debug)]
pub struct Telling<'a> {
    /// The account's sid.
    pub account_sid: &'a str,
    /// The zone in which Exotel writes the account's times.
    pub zone: Tz,
    /// The format of the answer.
    pub format: AnswerFormat,
}

impl SmsMessage {
    /// A message with fields of its callbacks, last changed at `updated`.
    #[must_use]
    pub fn of(message: &Message<'_>, texts: Said, updated: Time, telling: Telling<'_>) -> Self {
        let Telling { account_sid, zone, format } = telling;
        let (sid, outcome) = (message.sid.as_str(), &message.outcome);
        let verdict = &outcome.verdict;
        let created = texts.date_created.as_deref().map(|text| ProviderTime::read(text, zone));
        Self {
            sid: sid.to_owned(),
            account_sid: account_sid.to_owned(),
            from: texts.from,
            to: outcome.recipient.raw.clone(),
            date_created: match created {
                Some(ProviderTime::At(time)) => local(time, zone),
                // Exotel always gives this time, and clients rely on it. It is never later than the last change, which a
                // callback may have dated back.
                _ => local(message.first_received_at.min(updated), zone),
            },
            date_updated: local(updated, zone),
            date_sent: date_sent(verdict).map(|time| local(time, zone)),
            body: texts.body,
            direction: texts.direction,
            uri: uri(account_sid, sid, format),
            // Null in every sample.
            api_version: None,
            price: texts.price,
            status: verdict.status.as_deref().map(str::to_owned),
            detailed_status_code: verdict.code.map(|code| code.to_string()),
            detailed_status: verdict.name.as_deref().map(str::to_owned),
            sms_units: outcome.sms_units,
            format,
        }
    }

    /// The answer's text.
    #[must_use]
    pub fn write(&self) -> String {
        self.format.write("SMSMessage", self)
    }
}

/// `DateSent`. Exotel writes the Unix epoch for "not sent"; null where it was sent but no callback says when.
fn date_sent(verdict: &Verdict) -> Option<Time> {
    let unsaid = match verdict.outcome {
        Outcome::Pending | Outcome::Failed => Some(Time::UNIX_EPOCH),
        Outcome::Delivered | Outcome::Unknown => None,
    };
    verdict.sent_at.or(unsaid)
}

/// `YYYY-MM-DD HH:mm:ss`, without an offset.
fn local(time: Time, zone: Tz) -> String {
    time.with_timezone(&zone).format("%Y-%m-%d %H:%M:%S").to_string()
}

fn uri(account_sid: &str, sid: &str, format: AnswerFormat) -> String {
    let segment = |text| utf8_percent_encode(text, &ENCODED);
    let end = if format == AnswerFormat::Json { ".json" } else { "" };
    format!("/v1/Accounts/{}/SMS/Messages/{}{end}", segment(account_sid), segment(sid))
}
