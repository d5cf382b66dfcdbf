//! A StatusCallback: what Exotel said, field by field, before anything is made of it.

use super::{
    BadMessageSid, Field, MessageSid, RawField,
    raw_field::{text, unwrapped},
};

/// A status callback: it names a message, and says something about it.
#[derive(Clone, Debug)]
pub struct StatusCallback {
    sid: MessageSid,
    fields: Vec<RawField>,
    places: [Option<u16>; Field::COUNT],
    sid_wrapped: bool,
}

/// Why fields are no status callback.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAStatusCallback {
    /// It lacks what every status callback has.
    #[error("{} is missing", missing.join(" is missing, and "))]
    Missing {
        /// The fields that would have made it one.
        missing: Vec<&'static str>,
    },
    /// A field says two things.
    #[error("{field} is given more than once, with different values")]
    Conflict {
        /// The field.
        field: &'static str,
    },
    /// The code belongs to another channel of Exotel's, where the numbers mean other things.
    #[error("ExoStatusCode {code} belongs to RCS or WhatsApp, whose codes are not those of SMS")]
    OtherChannel {
        /// The code.
        code: i64,
    },
    /// The Sid cannot be kept.
    #[error(transparent)]
    BadSid(#[from] BadMessageSid),
    /// More fields than any callback has.
    #[error("{count} fields, at most {} are taken", StatusCallback::MAX_FIELDS)]
    TooManyFields {
        /// How many.
        count: usize,
    },
}

impl NotAStatusCallback {
    /// The fields that are missing; none where something else is wrong.
    #[must_use]
    pub fn missing(self) -> Vec<&'static str> {
        match self {
            Self::Missing { missing } => missing,
            _ => Vec::new(),
        }
    }
}

impl StatusCallback {
    /// The most fields that are taken; Exotel sends about ten.
    pub const MAX_FIELDS: usize = 256;

    /// Finds the known ones among `fields`.
    ///
    /// # Errors
    /// [`NotAStatusCallback`], together with the fields, says what is missing or contradictory.
    pub fn from_fields(fields: Vec<RawField>) -> Result<Self, (NotAStatusCallback, Vec<RawField>)> {
        match Self::check(&fields) {
            Ok((sid, places)) => {
                let sid_wrapped = value_at(&fields, places[Field::SmsSid as usize])
                    .is_some_and(|value| unwrapped(value).is_some());
                Ok(Self { sid, fields, places, sid_wrapped })
            }
            Err(reason) => Err((reason, fields)),
        }
    }

    fn check(fields: &[RawField]) -> Result<(MessageSid, [Option<u16>; Field::COUNT]), NotAStatusCallback> {
        if fields.len() > Self::MAX_FIELDS {
            return Err(NotAStatusCallback::TooManyFields { count: fields.len() });
        }
        let places = places(fields)?;
        let get = |field: Field| text(value_at(fields, places[field as usize])?);
        let any_of = [Field::Status, Field::DetailedStatusCode, Field::ExoStatusCode, Field::DetailedStatus];
        let error = || get(Field::ErrorCode).filter(|text| !says_no_error(text));
        let silent = any_of.iter().all(|&field| get(field).is_none()) && error().is_none();
        let Some(sid) = get(Field::SmsSid).filter(|_| !silent) else {
            let missing = [
                get(Field::SmsSid).is_none().then_some("SmsSid"),
                silent.then_some("Status or DetailedStatusCode"),
            ];
            return Err(NotAStatusCallback::Missing { missing: missing.into_iter().flatten().collect() });
        };
        let code = get(Field::ExoStatusCode);
        if let Some(code) = code.and_then(other_channel) {
            return Err(NotAStatusCallback::OtherChannel { code });
        }
        let differ = |(a, b): (&str, &str)| a.trim_start_matches('0') != b.trim_start_matches('0');
        if code.zip(get(Field::DetailedStatusCode)).is_some_and(differ) {
            return Err(NotAStatusCallback::Conflict { field: "DetailedStatusCode, or ExoStatusCode," });
        }
        Ok((MessageSid::new(sid)?, places))
    }

    /// The message it is about.
    #[must_use]
    pub fn sid(&self) -> &MessageSid {
        &self.sid
    }

    /// What a field says: trimmed, out of its `['…']`, none where it is empty or `null`.
    ///
    /// The sender's own text is left as it is, unless the whole callback came wrapped.
    #[must_use]
    pub fn get(&self, field: Field) -> Option<&str> {
        let value = value_at(&self.fields, self.places[field as usize])?;
        match field {
            Field::CustomField if self.sid_wrapped => Some(unwrapped(value).unwrap_or(value)),
            Field::CustomField => Some(value),
            _ => text(value),
        }
        .filter(|text| !text.is_empty())
    }

    /// The detailed status code, as written. `ErrorCode` stands in for it where there is none, unless it says that
    /// there was no error.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        let code = self.get(Field::DetailedStatusCode).or_else(|| self.get(Field::ExoStatusCode));
        code.or_else(|| self.get(Field::ErrorCode).filter(|text| !says_no_error(text)))
    }

    /// Every field as received, known or not.
    #[must_use]
    pub fn fields(&self) -> &[RawField] {
        &self.fields
    }

    /// The Sid and every field as received.
    #[must_use]
    pub fn into_parts(self) -> (MessageSid, Vec<RawField>) {
        (self.sid, self.fields)
    }
}

/// Whether an `ErrorCode` is a carrier's or a program's way to write that there was no error: `0`, `000`, `None`.
fn says_no_error(text: &str) -> bool {
    const WORDS: [&str; 8] = ["none", "nil", "na", "n/a", "-", "no error", "ok", "success"];
    text.bytes().all(|byte| matches!(byte, b'0' | b'.'))
        || WORDS.iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// Where each known field says something, or stands at all; a repeat must not say something else.
fn places(fields: &[RawField]) -> Result<[Option<u16>; Field::COUNT], NotAStatusCallback> {
    let mut places = [None; Field::COUNT];
    let says = |at: u16| value_at(fields, Some(at)).and_then(text);
    for (at, raw) in (0..).zip(fields) {
        let Some(field) = Field::from_key(&raw.key) else { continue };
        let place = &mut places[field as usize];
        match place.map(says) {
            None | Some(None) => *place = Some(at),
            Some(Some(earlier)) if says(at).is_some_and(|said| said != earlier) => {
                return Err(NotAStatusCallback::Conflict { field: field.name() });
            }
            Some(Some(_)) => {}
        }
    }
    Ok(places)
}

fn value_at(fields: &[RawField], place: Option<u16>) -> Option<&str> {
    fields[usize::from(place?)].value.as_deref()
}

/// RCS and WhatsApp count from 30001 and 40001. Source: Exotel's pages on those callbacks.
fn other_channel(code: &str) -> Option<i64> {
    code.parse().ok().filter(|code| (30_001..50_000).contains(code))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn callback(pairs: &[(&str, &str)]) -> Result<StatusCallback, NotAStatusCallback> {
        let field = |&(key, value): &(&str, &str)| RawField::new(key.to_owned(), Some(value.into()));
        StatusCallback::from_fields(pairs.iter().map(field).collect()).map_err(|(reason, _)| reason)
    }

    #[test]
    fn wrapped_values_come_out_of_their_wrapper() {
        let whole = callback(&[("SmsSid", "['s1']"), ("Status", "[\"sent\"]"), ("CustomField", "['it's']")]);
        let whole = whole.unwrap();
        assert_eq!(whole.sid().as_str(), "s1");
        assert_eq!((whole.get(Field::Status), whole.get(Field::CustomField)), (Some("sent"), Some("it's")));
        assert_eq!(text("['a', 'b']"), Some("['a', 'b']"));
        assert_eq!(text("['a','b']"), Some("['a','b']"));
        let own = callback(&[("SmsSid", "s1"), ("Status", "sent"), ("CustomField", "['x']")]).unwrap();
        assert_eq!(own.get(Field::CustomField), Some("['x']"), "the sender's own text");
    }

    #[test]
    fn empty_and_null_say_nothing_but_a_custom_field_may_say_null() {
        let said = [
            ("SmsSid", "s1"),
            ("Status", " sent "),
            ("SmsUnits", "null"),
            ("To", ""),
            ("CustomField", "null"),
        ];
        let said = callback(&said).unwrap();
        assert_eq!((said.get(Field::Status), said.get(Field::SmsUnits)), (Some("sent"), None));
        assert_eq!((said.get(Field::To), said.get(Field::CustomField)), (None, Some("null")));
    }

    #[test]
    fn what_is_missing_is_named() {
        let missing = |pairs: &[(&str, &str)]| callback(pairs).unwrap_err().to_string();
        assert_eq!(missing(&[("SmsSid", "s1"), ("Body", "YES")]), "Status or DetailedStatusCode is missing");
        assert_eq!(missing(&[("Status", "sent")]), "SmsSid is missing");
        assert_eq!(
            missing(&[("SmsSid", "null")]),
            "SmsSid is missing, and Status or DetailedStatusCode is missing"
        );
    }

    #[test]
    fn a_known_field_may_repeat_itself_but_not_contradict_itself() {
        assert!(callback(&[("SmsSid", "s1"), ("sms_sid", "s1"), ("Status", "sent")]).is_ok());
        for order in [["", "sent"], ["sent", ""]] {
            let said = callback(&[("SmsSid", "s1"), ("Status", order[0]), ("status", order[1])]).unwrap();
            assert_eq!(said.get(Field::Status), Some("sent"), "an empty one contradicts nothing");
        }
        let twice = callback(&[("SmsSid", "s1"), ("Status", "sent"), ("status", "failed")]);
        assert_eq!(twice.unwrap_err(), NotAStatusCallback::Conflict { field: "Status" });
        let codes =
            callback(&[("SmsSid", "s1"), ("ExoStatusCode", "20005"), ("DetailedStatusCode", "20006")]);
        assert_eq!(
            codes.unwrap_err(),
            NotAStatusCallback::Conflict { field: "DetailedStatusCode, or ExoStatusCode," }
        );
    }

    #[test]
    fn codes_of_other_channels_are_refused() {
        let rcs = callback(&[("SmsSid", "s1"), ("Status", "delivered"), ("exo_status_code", "30002")]);
        assert_eq!(rcs.unwrap_err(), NotAStatusCallback::OtherChannel { code: 30_002 });
    }
}
