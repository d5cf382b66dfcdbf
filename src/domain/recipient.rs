//! Who a message was sent to. Only the last four digits ever show in `Debug` or `Display`.

use std::fmt;

use rlibphonenumber::{PHONE_NUMBER_UTIL as NUMBERS, Region};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use super::{
    number_text::{self, MASK},
    numbering,
    raw_field::text,
};

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
        let indian = (country == Country::INDIA).then(|| indian_mobile(raw)).flatten();
        let read = || number_text::dialled(raw).and_then(|dialled| numbering::e164(&dialled, country.0));
        // Japan has longer numbers that can be dialled, but not from abroad.
        let e164 = indian.or_else(|| read().filter(|number| number.len() <= "+".len() + Self::LONGEST));
        Self { e164, raw: Some(raw.to_owned()) }
    }

    /// Reads what somebody asks for, as [`Self::read`] does. None where no message can be to that: it says nothing, or
    /// is made of digits that are no number. A mask, and any other text, may be what Exotel wrote.
    #[must_use]
    pub fn asked(raw: &str, country: Country) -> Option<Self> {
        let recipient = Self::read(text(raw)?, country);
        (recipient.e164.is_some() || !number_text::has_no_letters(raw)).then_some(recipient)
    }

    /// Whether its text is neither a number nor one that is masked.
    #[must_use]
    pub fn is_no_number(&self) -> bool {
        self.e164.is_none() && self.raw.as_deref().is_some_and(|raw| !number_text::is_masked(raw))
    }

    /// How many digits a number has at most. Source: ITU-T E.164, section 6.2.1.
    const LONGEST: usize = 15;

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

    /// Whether a text shows enough of a number to tell it from another.
    pub(super) fn shows_digits(raw: &str) -> bool {
        // A zero in front is how a number is dialled.
        let shown =
            number_text::places(raw).filter(|&place| place != MASK).skip_while(|&digit| digit == b'0');
        shown.count() >= Self::SHOWN
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

/// The digits of a number in any spelling, with their masks, without zeros before a code.
fn places(text: &str) -> Vec<u8> {
    number_text::places(text).skip_while(|&b| b == b'0').collect()
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
    use proptest::{prelude::*, sample::select};

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
        fn every_spelling_is_that_number(
            front in select(vec!["", "'", "tel:", "=\"", "\u{202a}", "\u{feff}", "(", " "]),
            prefix in select(vec![
                "", "0", "91", "+91", "0091", "091", "+0", "+00", "00", "+091", "+0091", "+910", "+9100", "00910", "910",
                "+00910", "0910",
            ]),
            gap in select(vec!["", " ", "-", "\u{a0}", "\u{2009}", "\u{2011}", "\u{2013}", "\u{200b}", "\u{200e}", "−", "．", "("]),
            zero in select(vec!['0', '０', '٠', '۰', '०', '০', '௦', '𝟎', '𝟬']),
            number in "98[0-9]{8}",
        ) {
            // Two numbers may be meant: Iran's numbers begin with 98 as well.
            let in_iran = NUMBERS.parse(format!("+{number}"), None::<Region>).is_ok_and(|number| number.is_valid());
            prop_assume!(!in_iran);
            let digit = |c: char| c.to_digit(10).map_or(c, |digit| char::from_u32(zero as u32 + digit).unwrap());
            let digits: String = number.chars().map(digit).collect();
            let cut = digits.char_indices().nth(5).unwrap().0;
            let raw = format!("{front}{prefix}{gap}{}{gap}{}", &digits[..cut], &digits[cut..]);
            prop_assert_eq!(e164(&raw), Some(format!("+91{number}")), "{:?}", raw);
        }

        #[test]
        fn no_zeroes_make_another_number_of_a_mobile(prefix in "[+]?0{0,4}(91)?0{0,2}", number in "[6-9][0-9]{9}") {
            let read = e164(&format!("{prefix}{number}"));
            let plain = NUMBERS.parse(format!("{prefix}{number}"), Some(Region::IN)).is_ok_and(|number| number.is_valid());
            prop_assert!(plain || read.is_none() || read == Some(format!("+91{number}")) || prefix.starts_with('+')
                || prefix.starts_with("00"), "{}{}: {:?}", prefix, number, read);
            if let Some(read) = read {
                prop_assert_eq!(e164(&read), Some(read.clone()));
            }
        }

        #[test]
        fn the_short_way_reads_indian_mobiles_as_the_long_way(prefix in "0|\\+91|91|", digits in "[6-9][0-9]{9}") {
            let raw = format!("{prefix}{digits}");
            let long = numbering::e164(&raw, Region::IN);
            prop_assert_eq!(indian_mobile(&raw), long);
        }
    }

    #[test]
    fn zeroes_behind_the_way_out_of_the_country_are_read_where_one_number_is_meant() {
        for (raw, expected) in [
            ("+09812345670", Some("+919812345670")),
            ("+009812345670", Some("+919812345670")),
            ("+0 91 98123 45670", Some("+919812345670")),
            ("+91 0 98123 45670", Some("+919812345670")),
            ("009109812345670", Some("+919812345670")),
            ("+0 44 20 7946 0018", Some("+442079460018")),
            ("+44 (0) 20 7946 0018", Some("+442079460018")),
            // India's 65812 34567 and Singapore's 8123 4567.
            ("+06581234567", None),
            ("+0", None),
            ("+00000098", None),
        ] {
            assert_eq!(e164(raw).as_deref(), expected, "{raw}");
        }
        let italian = Country(Region::IT);
        let read = |raw| Recipient::read(raw, italian).e164;
        assert_eq!(
            read("06 6982 0001").as_deref(),
            Some("+390669820001"),
            "the zero is a part of the number"
        );
    }

    #[test]
    fn what_can_be_asked_for() {
        for raw in ["09812345670", "٠٩٨١٢٣٤٥٦٧٠", "0XXXXX30240", "EXOTEL", "'+919812345670"] {
            assert!(Recipient::asked(raw, Country::INDIA).is_some(), "{raw}");
        }
        for raw in ["", " ", "null", "+", "--", "12", "98123456701234567", "\u{200b}"] {
            assert!(Recipient::asked(raw, Country::INDIA).is_none(), "{raw}");
        }
        assert!(Recipient::read("EXOTEL", Country::INDIA).is_no_number());
        assert!(!Recipient::read("0XXXXX30240", Country::INDIA).is_no_number());
        assert!(!Recipient::default().is_no_number());
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
            "98123…45670",
            "9812345670,9812345671",
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
