//! Forgetting a number: where it is named, and what may stay of a callback about it.

use percent_encoding::percent_decode;

use super::{Country, Field, RawField, Recipient};

/// A number that is to be forgotten.
#[derive(Clone, PartialEq, Eq)]
pub struct ForgottenNumber {
    e164: String,
    /// Its digits without the code of its country.
    national: String,
}

impl ForgottenNumber {
    /// Reads `raw`, in any spelling, as a number of `country` unless it says otherwise.
    #[must_use]
    pub fn read(raw: &str, country: Country) -> Option<Self> {
        let e164 = Recipient::read(raw, country).e164?;
        let national = Recipient::national_digits(&e164)?;
        Some(Self { e164, national })
    }

    /// The number in E.164.
    #[must_use]
    pub fn e164(&self) -> &str {
        &self.e164
    }

    /// Its digits without the code of its country.
    #[must_use]
    pub fn national(&self) -> &str {
        &self.national
    }

    /// Whether `text` names it, with or without its country, whatever divides its digits, and percent-encoded
    /// or not.
    #[must_use]
    pub fn is_in(&self, text: &[u8]) -> bool {
        let mut digits = String::new();
        for byte in percent_decode(text).chain([b'\n']) {
            match byte {
                b'0'..=b'9' => digits.push(byte.into()),
                b' ' | b'+' | b'-' | b'.' | b'(' | b')' | b'/' => {}
                _ if digits.contains(&self.national) => return true,
                _ => digits.clear(),
            }
        }
        false
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

#[cfg(test)]
mod tests {
    use super::*;

    fn number(raw: &str) -> ForgottenNumber {
        ForgottenNumber::read(raw, Country::INDIA).unwrap()
    }

    #[test]
    fn a_number_is_found_in_every_spelling() {
        let forgotten = number("09812345670");
        assert_eq!((forgotten.e164(), forgotten.national()), ("+919812345670", "9812345670"));
        for text in [
            "9812345670",
            "To=%2B919812345670&Status=sent",
            "To=+91+98123-45670",
            "{\"To\": \"0091 (98123) 45670\"}",
            "call 9812345670, or 112",
        ] {
            assert!(forgotten.is_in(text.as_bytes()), "{text}");
        }
        for text in ["", "To=09812345671", "98123 and 45670", "DateSent=2026-11-21 18:29:33", "0XXXXX5670"] {
            assert!(!forgotten.is_in(text.as_bytes()), "{text}");
        }
        assert_eq!(number("+6591234567").national(), "91234567");
        assert!(ForgottenNumber::read("0XXXXX5670", Country::INDIA).is_none());
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
