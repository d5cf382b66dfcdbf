//! Who a message was sent to. Only the last four digits ever show in `Debug` or `Display`.

use std::fmt;

use rlibphonenumber::{
    PHONE_NUMBER_UTIL as NUMBERS, PhoneNumber, PhoneNumberFormat, PhoneNumberType, Region,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// A country, by its ISO 3166 code of two letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Country(Region);

impl Country {
    /// The home of Exotel's accounts unless configured otherwise.
    pub const INDIA: Self = Self(Region::IN);
}

impl Serialize for Country {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.as_region_str())
    }
}

impl<'de> Deserialize<'de> for Country {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = String::deserialize(deserializer)?;
        let region = code.to_ascii_uppercase().parse().ok();
        let known = region.filter(|&r| NUMBERS.get_country_code_for_region(r).is_some());
        known
            .map(Self)
            .ok_or_else(|| D::Error::custom(format!("`{code}` is no ISO 3166 country code, such as `IN`")))
    }
}

/// A recipient as one receipt names it, or as the receipts of a message together do.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Recipient {
    /// The number in E.164, where the raw text can be read as one.
    pub e164: Option<String>,
    /// The text as Exotel wrote it.
    pub raw: Option<String>,
}

impl Recipient {
    /// Reads `raw` as a number of `country` unless it says otherwise.
    ///
    /// Letters are refused first: Exotel masks digits with `X`, which telephone keypads spell 9.
    #[must_use]
    pub fn read(raw: &str, country: Country) -> Self {
        let plain = |b: u8| b.is_ascii_digit() || b"+-() .".contains(&b);
        let indian = (country == Country::INDIA).then(|| indian_mobile(raw)).flatten();
        let read = || raw.bytes().all(plain).then(|| Self::e164(raw, country)).flatten();
        // Japan has longer numbers that can be dialled, but not from abroad.
        let e164 = indian.or_else(|| read().filter(|number| number.len() <= "+".len() + Self::LONGEST));
        Self { e164, raw: Some(raw.to_owned()) }
    }

    /// How many digits a number has at most. Source: ITU-T E.164, section 6.2.1.
    const LONGEST: usize = 15;

    /// A valid number; or one of a range that the metadata does not know yet, if it is as long as its
    /// country's mobile numbers are. `0` before the country code is a spelling of Exotel's.
    fn e164(raw: &str, country: Country) -> Option<String> {
        let number = NUMBERS.parse(raw, Some(country.0)).ok()?;
        let format = |number: &PhoneNumber| number.format_as(PhoneNumberFormat::E164).into_owned();
        if number.is_valid() {
            return Some(format(&number));
        }
        let digits: String = raw.chars().filter(char::is_ascii_digit).collect();
        let with_code = format!("+{}", digits.trim_start_matches('0'));
        let with_code = NUMBERS.parse(&with_code, Some(country.0)).ok();
        let code = NUMBERS.get_country_code_for_region(country.0);
        let home = with_code.filter(|number| Some(number.country_code) == code && number.is_valid());
        home.map(|number| format(&number)).or_else(|| {
            let region = NUMBERS.get_region_for_country_code(number.country_code)?;
            let mobile =
                NUMBERS.get_example_number_for_type_and_region(region, PhoneNumberType::Mobile).ok()?;
            let length = |number: &PhoneNumber| number.get_national_significant_number().len();
            let e164 = (length(&number) == length(&mobile)).then(|| format(&number))?;
            // Zeroes in front may be part of the number, or of how it is dialled.
            let again = NUMBERS.parse(&e164, None::<Region>).ok()?;
            (format(&again) == e164 && length(&again) == length(&mobile)).then_some(e164)
        })
    }

    /// Whether both are the same number, however each is spelled. Exotel masks digits: where `said` shows
    /// `X` or `*`, any digit may stand, but [`Self::SHOWN`] digits at least must be there and agree.
    #[must_use]
    pub fn may_be(&self, said: &Self) -> bool {
        if let (Some(own), Some(said)) = (&self.e164, &said.e164) {
            return own == said;
        }
        let own = self.e164.as_ref().or(self.raw.as_ref()).map(|text| places(text)).unwrap_or_default();
        let said = said.raw.as_deref().map(places).unwrap_or_default();
        let masked = said.contains(&MASK);
        let agree = |(own, said): (&u8, &u8)| own == said || *said == MASK;
        let shown = said.iter().filter(|&&place| place != MASK).count();
        let fits = if masked { said.len() <= own.len() } else { said.len() == own.len() };
        fits && shown >= Self::SHOWN && own.iter().rev().zip(said.iter().rev()).all(agree)
    }

    /// This recipient in a callback whose URL was signed for a number. The two are one recipient, and the URL names
    /// it whole where Exotel masks digits.
    pub(super) fn signed_for(self, number: Option<&str>) -> Self {
        match number.filter(|number| number.starts_with('+')) {
            Some(number) => Self { e164: Some(number.to_owned()), ..self },
            None => self,
        }
    }

    /// How many digits of a masked number have to be there before it may be another one.
    pub const SHOWN: usize = 4;

    /// The digits of a number in E.164 without the code of its country.
    pub(super) fn national_digits(e164: &str) -> Option<String> {
        let number = NUMBERS.parse(e164, None::<Region>).ok()?;
        Some(number.get_national_significant_number().clone())
    }

    /// Loads the numbering plans now, so that the first callback does not wait for them.
    pub fn warm_up() {
        let _ = Self::read("+919800000000", Country::INDIA);
    }
}

/// The numbers that nearly all messages go to, as [`Recipient::e164`] reads them too, at a fortieth of the
/// instructions: ten digits, of which the first is 6 or more, in the spellings of Exotel.
/// Source: the National Numbering Plan of India's Department of Telecommunications, on mobile numbers.
fn indian_mobile(raw: &str) -> Option<String> {
    let mobile = |digits: &&str| {
        digits.len() == 10 && digits.as_bytes()[0] >= b'6' && digits.bytes().all(|b| b.is_ascii_digit())
    };
    let spellings = ["0", "+91", "91", ""].into_iter().filter_map(|prefix| raw.strip_prefix(prefix));
    spellings.into_iter().find(mobile).map(|digits| format!("+91{digits}"))
}

/// What a masked digit is written as.
const MASK: u8 = b'X';

/// The digits of a number in any spelling, with their masks, without zeros before a code.
fn places(text: &str) -> Vec<u8> {
    let place = |b: u8| match b {
        b'0'..=b'9' => Some(b),
        b'x' | b'X' | b'*' => Some(MASK),
        _ => None,
    };
    text.bytes().filter_map(place).skip_while(|&b| b == b'0').collect()
}

impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.e164.as_deref().or(self.raw.as_deref()).unwrap_or_default();
        let hidden = text.chars().count().saturating_sub(4);
        write!(f, "{}{}", "*".repeat(hidden.min(16)), text.chars().skip(hidden).collect::<String>())
    }
}

impl fmt::Debug for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Recipient({self})")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn e164(raw: &str) -> Option<String> {
        Recipient::read(raw, Country::INDIA).e164
    }

    #[test]
    fn every_spelling_of_a_number_is_the_same_recipient() {
        let spellings = [
            "09812345670",
            "+919812345670",
            "919812345670",
            "9812345670",
            "0091 98123-45670",
            "0919812345670",
        ];
        for raw in spellings {
            assert_eq!(e164(raw).as_deref(), Some("+919812345670"), "{raw}");
        }
        assert_eq!(e164("+14155550123").as_deref(), Some("+14155550123"));
        assert_eq!(e164("1234567890").as_deref(), Some("+911234567890"), "a range that may yet be assigned");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn the_short_way_reads_indian_mobiles_as_the_long_way(prefix in "0|\\+91|91|", digits in "[6-9][0-9]{9}") {
            let raw = format!("{prefix}{digits}");
            let long = Recipient::e164(&raw, Country::INDIA);
            prop_assert_eq!(indian_mobile(&raw), long);
        }
    }

    #[test]
    fn zeroes_in_front_make_no_number_of_an_unknown_range() {
        for raw in ["00033333480", "0000000000", "00012345678"] {
            let e164 = Recipient::read(raw, Country::INDIA).e164;
            let again = e164.as_deref().map(|e164| Recipient::read(e164, Country::INDIA).e164);
            assert_eq!(again.unwrap_or_default(), e164, "{raw}");
        }
        assert_eq!(e164("00033333480"), None);
    }

    #[test]
    fn what_is_no_number_stays_raw() {
        for raw in [
            "0XXXXX30240",
            "+911140XXXXXX",
            "",
            "12",
            "123456",
            "2345678",
            "12345678",
            "0000000000",
            "EXOTEL",
            "9812345670123456789012",
            "+8-100037(6821878-10003",
            "٣٤",
        ] {
            assert_eq!(e164(raw), None, "{raw}");
            assert_eq!(Recipient::read(raw, Country::INDIA).raw.as_deref(), Some(raw));
        }
    }

    #[test]
    fn a_number_may_be_every_spelling_of_itself_and_every_mask_that_fits() {
        let may_be =
            |own, said| Recipient::read(own, Country::INDIA).may_be(&Recipient::read(said, Country::INDIA));
        for said in
            ["09812345670", "919812345670", "+91 98123 45670", "0XXXXX45670", "XXXXXXXX5670", "98123*****"]
        {
            for own in ["+919812345670", "09812345670"] {
                assert!(may_be(own, said), "{own} {said}");
            }
        }
        for said in [
            "09812345671",
            "0XXXXX45671",
            "XXXXXXXXXX",
            "XXXXXXXXX670",
            "",
            "5670",
            "X+9198123456709",
            "null",
        ] {
            assert!(!may_be("+919812345670", said), "{said}");
        }
        assert!(may_be("56767", "56767") && !may_be("56767", "567670"), "short codes are no E.164");
        assert!(!may_be("", "") && !may_be("X", "X"));
    }

    #[test]
    fn only_the_last_four_digits_show() {
        let recipient = Recipient::read("09812345670", Country::INDIA);
        assert_eq!(format!("{recipient} {recipient:?}"), "*********5670 Recipient(*********5670)");
    }
}
