//! A recipient of any text, by default of India.

#![no_main]

use dlr_receiver::domain::{Country, Recipient};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let recipient = Recipient::read(text, Country::INDIA);
    assert_eq!(recipient.raw.as_deref(), Some(text), "what was received is kept");
    let Some(number) = &recipient.e164 else { return };
    let digits = number.strip_prefix('+').expect("E.164 begins with a plus");
    assert!(digits.len() >= 4 && digits.bytes().all(|digit| digit.is_ascii_digit()), "{number}");
    let again = Recipient::read(number, Country::INDIA);
    assert_eq!(again.e164.as_ref(), Some(number), "a number in E.164 is that number");
    assert!(!format!("{recipient:?} {recipient}").contains(number.as_str()), "a recipient shows itself");
});
