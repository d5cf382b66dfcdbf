//! The one reading of a text as the digits of a telephone number, whichever script, separators and wrapping it comes
//! in. Callbacks, questions and erasing all read numbers here, so that they agree on what is one.

use std::{borrow::Cow, iter};

use rlibphonenumber::PHONE_NUMBER_UTIL as NUMBERS;
use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

/// What a masked digit is read as.
pub(super) const MASK: u8 = b'X';

/// What a character is to a number.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum NumberPart {
    /// A digit, in ASCII.
    Digit(u8),
    /// Stands in place of a digit that is not shown.
    Mask,
    /// Comes before the code of a country.
    Plus,
    /// Groups digits, or is not seen at all.
    Separator,
    /// Belongs to no number.
    Other,
}

impl NumberPart {
    pub fn of(char: char) -> Self {
        match char {
            '0'..='9' => Self::Digit(char as u8),
            'x' | 'X' | '*' => Self::Mask,
            '+' => Self::Plus,
            ' ' | '-' | '.' | '(' | ')' | '\t' => Self::Separator,
            _ if char.is_ascii() => Self::Other,
            _ => Self::of_other_script(char),
        }
    }

    fn of_other_script(char: char) -> Self {
        use GeneralCategory as Category;
        match char.general_category() {
            Category::DecimalNumber => {
                let digit = NUMBERS.normalize_digits_only(char.encode_utf8(&mut [0; 4]));
                digit.bytes().next().map_or(Self::Other, Self::Digit)
            }
            // Spaces, dashes, what is not seen (direction marks, zero width, BOM), and what sits on a digit (keycaps).
            Category::SpaceSeparator
            | Category::DashPunctuation
            | Category::Format
            | Category::NonspacingMark
            | Category::EnclosingMark => Self::Separator,
            _ => match char {
                // The minus sign, and the long sound of kana, which is typed for a dash.
                '−' | 'ー' => Self::Separator,
                '•' | '●' | '×' | '∗' => Self::Mask,
                // Dots that stand for digits left out: unlike single dots, they group nothing.
                '…' | '‥' => Self::Other,
                _ => Self::of_compatible(char),
            },
        }
    }

    /// A full-width form, or another that stands for one plain character.
    fn of_compatible(char: char) -> Self {
        let mut plain = iter::once(char).nfkc();
        match (plain.next(), plain.next()) {
            (Some(plain), None) if plain != char => Self::of(plain),
            _ => Self::Other,
        }
    }
}

/// The digits of a text, with a plus where it begins with one. None where anything but separators stands with them.
pub(super) fn dialled(text: &str) -> Option<Cow<'_, str>> {
    let digits = text.strip_prefix('+').unwrap_or(text);
    if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) {
        return Some(Cow::Borrowed(text));
    }
    let mut dialled = String::new();
    for char in bare(text)?.chars() {
        match NumberPart::of(char) {
            NumberPart::Digit(digit) => dialled.push(digit.into()),
            NumberPart::Plus if dialled.is_empty() => dialled.push('+'),
            NumberPart::Plus if dialled == "+" => {}
            NumberPart::Separator => {}
            NumberPart::Plus | NumberPart::Mask | NumberPart::Other => return None,
        }
    }
    dialled.ends_with(|last: char| last.is_ascii_digit()).then_some(Cow::Owned(dialled))
}

/// The digits and masks of a text, whatever else stands in it.
pub(super) fn places(text: &str) -> impl Iterator<Item = u8> {
    let bare = bare(text).unwrap_or(Cow::Borrowed(text)).into_owned();
    let places: Vec<u8> = bare.chars().filter_map(place).collect();
    places.into_iter()
}

fn place(char: char) -> Option<u8> {
    match NumberPart::of(char) {
        NumberPart::Digit(digit) => Some(digit),
        NumberPart::Mask => Some(MASK),
        _ => None,
    }
}

/// Whether a text is a number of which some digits are not shown.
pub(super) fn is_masked(text: &str) -> bool {
    /// Fewer are no number.
    const SHORTEST: usize = 4;
    let foreign = |char| NumberPart::of(char) == NumberPart::Other;
    let bare = bare(text).unwrap_or_default();
    let places: Vec<u8> = bare.chars().filter_map(place).collect();
    !bare.contains(foreign) && places.contains(&MASK) && places.len() >= SHORTEST
}

/// Whether nothing but digits, signs and separators stands in a text: if it is anything, then a number.
pub(super) fn has_no_letters(text: &str) -> bool {
    bare(text).is_some_and(|bare| {
        bare.chars().all(|char| !matches!(NumberPart::of(char), NumberPart::Mask | NumberPart::Other))
    })
}

/// A number out of what it comes wrapped in: `tel:` (RFC 3966), and the quotes that keep a spreadsheet from taking it
/// for a formula, as our own CSV writes them. None where it names more than a number: an extension.
fn bare(text: &str) -> Option<Cow<'_, str>> {
    let unseen = |char: char| {
        char.is_whitespace() || !char.is_ascii() && NumberPart::of(char) == NumberPart::Separator
    };
    let text = text.trim_matches(unseen);
    let text = text.strip_prefix('=').unwrap_or(text);
    let text = text.trim_matches(|char| matches!(char, '\'' | '"' | '‘' | '’') || unseen(char));
    match text.split_at_checked("tel:".len()) {
        Some((scheme, number)) if scheme.eq_ignore_ascii_case("tel:") => of_uri(number),
        _ => Some(Cow::Borrowed(text)),
    }
}

/// The number of a `tel:` URI: one without a plus is a number of its `phone-context`, where that is a number's
/// beginning.
fn of_uri(uri: &str) -> Option<Cow<'_, str>> {
    let mut parts = uri.trim_start_matches('/').split(';');
    let number = parts.next()?;
    let mut context = None;
    for (name, value) in parts.map(|part| part.split_once('=').unwrap_or((part, ""))) {
        match name.to_ascii_lowercase().as_str() {
            "ext" | "isub" => return None,
            "phone-context" => context = Some(value).filter(|value| value.starts_with('+')),
            _ => {}
        }
    }
    match context.filter(|_| !number.starts_with('+')) {
        Some(context) => Some(Cow::Owned(format!("{context}{number}"))),
        None => Some(Cow::Borrowed(number)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_read_in_every_script_and_out_of_every_wrapping() {
        for (text, expected) in [
            ("+919812345670", Some("+919812345670")),
            ("+91\u{a0}98123\u{2011}45670", Some("+919812345670")),
            ("\u{202a}+91 98123 45670\u{202c}", Some("+919812345670")),
            ("98\u{200b}123\u{feff}45670", Some("9812345670")),
            ("９８１２３４５６７０", Some("9812345670")),
            ("＋９１（９８１２３）４５６７０", Some("+919812345670")),
            ("٩٨١٢٣٤٥٦٧٠", Some("9812345670")),
            ("۹۸۱۲۳۴۵۶۷۰", Some("9812345670")),
            ("९८१२३४५६७०", Some("9812345670")),
            ("98123−45670", Some("9812345670")),
            ("9\u{fe0f}\u{20e3}8123", Some("98123")),
            ("tel:+91-98123-45670", Some("+919812345670")),
            ("TEL:098123-45670;phone-context=+91", Some("+9109812345670")),
            ("tel:9812345670;phone-context=example.com;x=y", Some("9812345670")),
            ("tel:+919812345670;ext=5", None),
            ("'+919812345670", Some("+919812345670")),
            ("=\"+919812345670\"", Some("+919812345670")),
            ("(+91) 98123", Some("+9198123")),
            ("++9198", Some("+9198")),
            ("98+123", None),
            ("98123…5670", None),
            ("98123,45670", None),
            ("98123\n45670", None),
            ("0XXXXX5670", None),
            ("EXOTEL", None),
            ("+", None),
            ("", None),
        ] {
            assert_eq!(dialled(text).as_deref(), expected, "{text:?}");
        }
    }

    #[test]
    fn masks_are_told_from_texts() {
        for masked in
            ["0XXXXX30240", "+911140XXXXXX", "98123*****", "９８ＸＸＸ３０", "••••• 5670", "XXXXXXXXXX"]
        {
            assert!(is_masked(masked), "{masked}");
        }
        for text in ["EXOTEL", "X", "", "9812345670", "null", "56767", "0XXXXX5670 x Asha"] {
            assert!(!is_masked(text), "{text}");
        }
        assert!(has_no_letters("56767") && has_no_letters("+") && !has_no_letters("EXOTEL"));
    }
}
