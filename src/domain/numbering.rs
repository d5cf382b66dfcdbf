//! Dialled digits as a number in E.164, by the numbering plans of the countries.

use rlibphonenumber::{
    PHONE_NUMBER_UTIL as NUMBERS, PhoneNumber, PhoneNumberFormat, PhoneNumberType, Region,
};

/// The number that `dialled` means from `home`: digits, with a plus in front where it has one.
///
/// What the numbering plans read is that. Else zeroes in front are taken for what they are dialled as: the way out of
/// the country, the national prefix, or both (`+0…`, `00 91 0…`). Where that leaves two numbers, it is neither. A range
/// that the plans do not know yet is a number too, if it is as long as its country's mobile numbers are.
pub(super) fn e164(dialled: &str, home: Region) -> Option<String> {
    let plain = NUMBERS.parse(dialled, Some(home)).ok();
    if let Some(number) = plain.as_ref().filter(|number| number.is_valid()) {
        return Some(format(number));
    }
    match &*past_zeroes(dialled, home)? {
        [] => unknown_range(&plain?),
        [one] => Some(one.clone()),
        _ => None,
    }
}

/// More zeroes are no way of dialling: a way out of the country, and a national prefix.
const MOST_ZEROES: usize = 3;

/// The valid numbers that the digits behind the zeroes in front may be. None where one of them may be another number
/// as well, of a range that is not known yet.
fn past_zeroes(dialled: &str, home: Region) -> Option<Vec<String>> {
    let digits = dialled.trim_start_matches('+');
    let significant = digits.trim_start_matches('0');
    let zeroes = digits.len() - significant.len();
    let code = NUMBERS.get_country_code_for_region(home)?.to_string();
    let has_prefix = has_national_zero(home);
    let national = |digits: &str| valid(&format!("+{code}{digits}"));
    let with_code = significant.strip_prefix(&*code);
    let with_code = with_code.map(|rest| if has_prefix { rest.trim_start_matches('0') } else { rest });
    let mut numbers: Vec<String> = with_code.and_then(national).into_iter().collect();
    if has_prefix && (1..=MOST_ZEROES).contains(&zeroes) {
        numbers.extend(national(significant));
    }
    let leaves_the_country = digits.len() < dialled.len() || zeroes > 1;
    if leaves_the_country && (1..=MOST_ZEROES).contains(&zeroes) {
        let abroad = NUMBERS.parse(format!("+{significant}"), None::<Region>).ok();
        match abroad {
            Some(abroad) if abroad.is_valid() => numbers.push(format(&abroad)),
            Some(abroad) if !numbers.is_empty() && unknown_range(&abroad).is_some() => return None,
            _ => {}
        }
    }
    numbers.sort_unstable();
    numbers.dedup();
    Some(numbers)
}

/// Whether numbers are dialled with a zero in front of them at home. Elsewhere it is a part of the number.
fn has_national_zero(home: Region) -> bool {
    let mobile = NUMBERS.get_example_number_for_type_and_region(home, PhoneNumberType::Mobile);
    mobile.is_ok_and(|mobile| {
        let dialled = format!("0{}", mobile.get_national_significant_number());
        NUMBERS.parse(dialled, Some(home)).is_ok_and(|number| format(&number) == format(&mobile))
    })
}

fn valid(e164: &str) -> Option<String> {
    let number = NUMBERS.parse(e164, None::<Region>).ok()?;
    number.is_valid().then(|| format(&number))
}

/// A number as long as its country's mobile numbers are. Zeroes in front of it may be part of the number, or of how it
/// is dialled: then it is none.
fn unknown_range(number: &PhoneNumber) -> Option<String> {
    let region = NUMBERS.get_region_for_country_code(number.country_code)?;
    let mobile = NUMBERS.get_example_number_for_type_and_region(region, PhoneNumberType::Mobile).ok()?;
    let length = |number: &PhoneNumber| number.get_national_significant_number().len();
    let e164 = (length(number) == length(&mobile)).then(|| format(number))?;
    let again = NUMBERS.parse(&e164, None::<Region>).ok()?;
    (format(&again) == e164 && length(&again) == length(&mobile)).then_some(e164)
}

fn format(number: &PhoneNumber) -> String {
    number.format_as(PhoneNumberFormat::E164).into_owned()
}
