//! The fields of a callback in the spellings of Exotel's pages and versions.
//!
//! May import `domain`.

use chrono::NaiveDateTime;
use rand::{RngExt, rngs::SmallRng, seq::IndexedRandom};
use serde_json::{Value, json};

use crate::domain::{Outcome, Status, StatusCode};

/// A callback's fields in order. Null and numbers differ from texts in JSON only.
pub(super) type Fields = Vec<(&'static str, Value)>;

/// Which fields a callback has, and how its keys are spelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spelling {
    /// As Exotel's reference shows it.
    Reference,
    /// The same with keys such as `sms_sid`.
    SnakeCase,
    /// `ExoStatusCode`, statuses such as `delivered`, times with an offset, and more fields.
    Newer,
    /// `SmsSid`, `Status` and `DateUpdated` only.
    StatusAndTime,
    /// `SmsSid`, `To` and `Status` only.
    Bare,
}

/// How many of 100 messages are reported in each.
const SPELLINGS: [(Spelling, u32); 5] = [
    (Spelling::Reference, 90),
    (Spelling::SnakeCase, 4),
    (Spelling::Newer, 3),
    (Spelling::StatusAndTime, 2),
    (Spelling::Bare, 1),
];

/// Exotel's value for a time that does not apply: not sent.
const NOT_SENT: [Option<&str>; 6] = [
    None,
    Some(""),
    Some("null"),
    Some("1970-01-01 05:30:00"),
    Some("1970-01-01 00:00:00"),
    Some("0000-00-00 00:00:00"),
];

/// The facts about a message, which its callbacks repeat.
pub(super) struct Facts {
    /// Its Sid.
    pub sid: String,
    /// The recipient: ten digits.
    pub national: String,
    /// The parts it was sent in.
    pub units: u32,
    /// The sender's own text.
    pub custom_field: Option<String>,
}

/// A change of a message's status.
#[derive(Clone, Copy)]
pub(super) struct Event<'a> {
    /// The new status code.
    pub code: &'a StatusCode,
    /// When, in the account's time zone.
    pub at: NaiveDateTime,
}

impl Spelling {
    /// Draws one; mostly the reference's.
    pub fn draw(rng: &mut SmallRng) -> Self {
        SPELLINGS.choose_weighted(rng, |&(_, share)| share).expect("the shares are positive").0
    }

    /// The fields of a callback about `event`.
    pub fn fields(self, facts: &Facts, event: Event<'_>, rng: &mut SmallRng) -> Fields {
        let Event { code, at } = event;
        let sid = ("SmsSid", json!(facts.sid));
        let to = ("To", json!(spelled(&facts.national, rng)));
        let status = ("Status", json!(status_word(code.status, rng)));
        let plain = at.format("%Y-%m-%d %H:%M:%S").to_string();
        match self {
            Self::StatusAndTime => vec![sid, status, ("DateUpdated", json!(plain))],
            Self::Bare => vec![sid, to, status],
            Self::Newer => newer(facts, event, vec![sid, to]),
            Self::Reference | Self::SnakeCase => {
                let sent = code.outcome.is_final();
                let units = if sent { json!(facts.units) } else { Value::Null };
                let number = if rng.random() { json!(code.code) } else { json!(code.code.to_string()) };
                let not_sent = NOT_SENT.choose(rng).expect("there are some");
                let mut fields = vec![sid, to, status];
                fields.push(("SmsUnits", units));
                fields.push(("DetailedStatus", json!(code.name)));
                fields.push(("DetailedStatusCode", number));
                fields.push(("DateSent", if sent { json!(plain) } else { json!(not_sent) }));
                fields.extend(custom_field(facts));
                if self == Self::SnakeCase { snake_case(fields) } else { fields }
            }
        }
    }
}

/// Adds the fields of the newer spelling to `fields`.
fn newer(facts: &Facts, Event { code, at }: Event<'_>, mut fields: Fields) -> Fields {
    let word = match (code.outcome, code.code) {
        (Outcome::Delivered, 20005) => "delivered",
        (Outcome::Failed, 23050) => "expired",
        (Outcome::Failed, 23005 | 23020 | 23060) => "rejected",
        (Outcome::Failed, _) => "undelivered",
        _ => code.status.into(),
    };
    let time = if code.outcome == Outcome::Delivered { "DeliveredAt" } else { "UpdatedAt" };
    fields.push(("Status", json!(word)));
    fields.push(("ExoStatusCode", json!(code.code)));
    fields.push(("DetailedStatus", json!(code.name)));
    fields.push((time, json!(at.format("%Y-%m-%dT%H:%M:%S+05:30").to_string())));
    fields.push(("AccountSid", json!("simulated1")));
    fields.push(("From", json!("EXOSIM")));
    fields.push(("ExternalRef", json!(format!("ref-{}", &facts.sid[..8]))));
    fields.extend(custom_field(facts));
    fields
}

/// Only where the sender has set it.
fn custom_field(facts: &Facts) -> Option<(&'static str, Value)> {
    Some(("CustomField", json!(facts.custom_field.as_ref()?)))
}

/// `0` and ten digits mostly, whatever the sender had written.
fn spelled(national: &str, rng: &mut SmallRng) -> String {
    match rng.random_range(0..100) {
        0..80 => format!("0{national}"),
        80..90 => format!("+91{national}"),
        90..94 => format!("91{national}"),
        94..98 => national.to_owned(),
        _ => format!("0XXXXX{}", &national[5..]),
    }
}

fn status_word(status: Status, rng: &mut SmallRng) -> &'static str {
    match status {
        Status::FailedDnd if rng.random_bool(0.3) => "failed_dnd",
        other => other.into(),
    }
}

fn snake_case(mut fields: Fields) -> Fields {
    for (key, _) in &mut fields {
        *key = snake_case_key(key);
    }
    fields
}

fn snake_case_key(key: &'static str) -> &'static str {
    match key {
        "SmsSid" => "sms_sid",
        "To" => "to",
        "Status" => "status",
        "SmsUnits" => "sms_units",
        "DetailedStatus" => "detailed_status",
        "DetailedStatusCode" => "detailed_status_code",
        "DateSent" => "date_sent",
        "CustomField" => "custom_field",
        other => other,
    }
}
