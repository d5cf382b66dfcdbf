//! Erasing a recipient: finds where it is named, and what may remain of a callback about it.

use percent_encoding::percent_decode;

use super::{Country, Field, RawField, Recipient, number_text::NumberPart, raw_field::text};

/// A recipient to be erased.
#[derive(Clone, PartialEq, Eq)]
pub enum Forgotten {
    /// A number.
    Number {
        /// In E.164.
        e164: String,
        /// Its digits without the code of its country.
        national: String,
    },
    /// What Exotel wrote in place of a number, to the letter: a masked number, or any other text.
    Text(String),
}

impl Forgotten {
    /// Reads `raw`, in any spelling, as a number of `country` unless it says otherwise.
    #[must_use]
    pub fn number(raw: &str, country: Country) -> Option<Self> {
        let e164 = Recipient::read(raw, country).e164?;
        let national = Recipient::national_digits(&e164)?;
        Some(Self::Number { e164, national })
    }

    /// What was stored as it came, since it was no number. None where no recipient is stored as that.
    #[must_use]
    pub fn text(raw: &str) -> Option<Self> {
        let text = text(raw).filter(|text| text.contains(char::is_alphanumeric) && !text.contains('\0'));
        text.map(|text| Self::Text(text.to_owned()))
    }

    /// Whether `text` names it, with or without its country, whatever divides its digits, and percent-encoded
    /// or escaped as JSON or not.
    #[must_use]
    pub fn is_in(&self, text: &[u8]) -> bool {
        let decoded: Vec<u8> = percent_decode(text).collect();
        let decoded = unescaped(&String::from_utf8_lossy(&decoded));
        match self {
            Self::Number { national, .. } => digit_runs(&decoded).any(|digits| digits.contains(national)),
            Self::Text(own) => is_a_word_of(own, &decoded),
        }
    }

    /// Whether the text of a recipient, as it was stored, is this one. Stricter than [`Self::is_in`]: digits in front
    /// of the number have to be how it is dialled.
    #[must_use]
    pub fn is_named_by(&self, raw: &str) -> bool {
        let Self::Number { e164, national } = self else { return self.is_in(raw.as_bytes()) };
        let code = e164.strip_suffix(national.as_str()).unwrap_or_default().trim_start_matches('+');
        let is_own = |digits: String| {
            let dialled = digits.strip_suffix(national.as_str()).map(|front| front.trim_start_matches('0'));
            let is_code =
                |front: &str| front.strip_prefix(code).is_some_and(|rest| rest.bytes().all(|b| b == b'0'));
            dialled.is_some_and(|front| front.is_empty() || is_code(front))
        };
        digit_runs(raw).any(is_own)
    }

    /// Whether messages whose recipient was stored as `raw`, since it was no number, may be to this one.
    #[must_use]
    pub fn may_be(&self, raw: &str) -> bool {
        let own = match self {
            Self::Number { e164, .. } => Recipient { e164: Some(e164.clone()), raw: None },
            Self::Text(own) => return own.starts_with(raw),
        };
        self.is_named_by(raw) || own.may_be(&Recipient { e164: None, raw: Some(raw.to_owned()) })
    }

    /// What may stay of a callback: which message it is about and what became of that one. Not the recipient, the
    /// sender's text, nor what is not known to be harmless.
    #[must_use]
    pub fn remainder(&self, mut fields: Vec<RawField>) -> Vec<RawField> {
        fields.retain(|field| match Field::from_key(&field.key) {
            Some(Field::SmsSid) => true,
            Some(Field::To | Field::CustomField | Field::From | Field::Body | Field::ExternalRef) | None => {
                false
            }
            Some(_) => !field.value.as_deref().is_some_and(|value| self.is_in(value.as_bytes())),
        });
        fields
    }
}

/// The digits of a text, but for what separates the digits of one number.
fn digit_runs(text: &str) -> impl Iterator<Item = String> {
    let parts =
        text.chars().map(|char| if char == '/' { NumberPart::Separator } else { NumberPart::of(char) });
    let mut parts = parts.filter(|part| !matches!(part, NumberPart::Separator | NumberPart::Plus)).peekable();
    std::iter::from_fn(move || {
        parts.peek()?;
        let digit = |part: NumberPart| match part {
            NumberPart::Digit(digit) => Some(char::from(digit)),
            _ => None,
        };
        Some(parts.by_ref().map_while(digit).collect())
    })
}

/// Whether `word` stands in a text, with no letter or digit next to it.
fn is_a_word_of(word: &str, text: &str) -> bool {
    text.match_indices(word).any(|(at, _)| {
        let (before, after) = (&text[..at], &text[at + word.len()..]);
        !before.ends_with(char::is_alphanumeric) && !after.starts_with(char::is_alphanumeric)
    })
}

/// A text with JSON's escapes of single characters undone: senders escape all that is not ASCII.
fn unescaped(text: &str) -> String {
    let mut parts = text.split("\\u");
    let mut unescaped = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let escaped =
            part.get(..4).and_then(|hex| u32::from_str_radix(hex, 16).ok()).and_then(char::from_u32);
        match escaped {
            Some(char) => {
                unescaped.push(char);
                unescaped.push_str(&part[4..]);
            }
            None => unescaped.push_str(part),
        }
    }
    unescaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(raw: &str) -> Forgotten {
        Forgotten::number(raw, Country::INDIA).unwrap()
    }

    fn numbered(e164: &str, national: &str) -> Forgotten {
        Forgotten::Number { e164: e164.into(), national: national.into() }
    }

    #[test]
    fn a_number_is_found_in_every_spelling() {
        let forgotten = number("09812345670");
        assert!(forgotten == numbered("+919812345670", "9812345670"));
        for text in [
            "9812345670",
            "To=%2B919812345670&Status=sent",
            "To=+91+98123-45670",
            "{\"To\": \"0091 (98123) 45670\"}",
            "call 9812345670, or 112",
            "To=98123%C2%A045670",
            "{\"To\": \"\\u202a+91 98123\\u00a045670\\u202c\"}",
            "٩٨١٢٣٤٥٦٧٠",
            "９８１２３-４５６７０",
        ] {
            assert!(forgotten.is_in(text.as_bytes()), "{text}");
        }
        for text in ["", "To=09812345671", "98123 and 45670", "DateSent=2026-11-21 18:29:33", "0XXXXX5670"] {
            assert!(!forgotten.is_in(text.as_bytes()), "{text}");
        }
        assert!(number("+6591234567") == numbered("+6591234567", "91234567"));
        assert!(Forgotten::number("0XXXXX5670", Country::INDIA).is_none());
    }

    #[test]
    fn a_stored_text_is_the_number_only_where_its_digits_are() {
        let forgotten = number("09812345670");
        for raw in
            ["+0 98123\u{a0}45670", "0091 0 98123 45670", "Asha 9812345670", "9812345670 x12", "1/9812345670"]
        {
            assert_eq!(forgotten.is_named_by(raw), raw != "1/9812345670", "{raw}");
        }
        for raw in ["19812345670", "98123456701", "0XXXXX5670", "EXOTEL", "", "9812345671"] {
            assert!(!forgotten.is_named_by(raw), "{raw}");
        }
        assert!(
            forgotten.may_be("0XXXXX5670") && !forgotten.may_be("0XXXXX5671") && !forgotten.may_be("EXOTEL")
        );
    }

    #[test]
    fn a_text_is_forgotten_to_the_letter() {
        let masked = Forgotten::text(" 0XXXXX30240 ").unwrap();
        assert!(masked.is_named_by("0XXXXX30240") && masked.is_in(b"SmsSid=a&To=0XXXXX30240"));
        for other in ["0XXXXX30241", "10XXXXX30240", "0XXXXX302401", ""] {
            assert!(!masked.is_named_by(other), "{other}");
        }
        for nothing in ["", " ", "null", "+", "\u{200b}"] {
            assert!(Forgotten::text(nothing).is_none(), "{nothing:?}");
        }
    }

    #[test]
    fn what_became_of_the_message_stays() {
        let field = |key: &str, value: &str| RawField::new(key.to_owned(), Some(value.into()));
        let said = [
            ("SmsSid", "s9812345670"),
            ("To", "09812345670"),
            ("status", "sent"),
            ("DetailedStatusCode", "20005"),
            ("ErrorCode", "+919812345670"),
            ("CustomField", "x"),
            ("Body", "Dear Asha"),
            ("Name", "Asha"),
        ];
        let stays =
            number("9812345670").remainder(said.iter().map(|(key, value)| field(key, value)).collect());
        let keys: Vec<_> = stays.iter().map(|field| &*field.key).collect();
        assert_eq!(keys, ["SmsSid", "status", "DetailedStatusCode"]);
    }
}
