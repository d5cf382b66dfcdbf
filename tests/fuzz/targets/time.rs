//! A time of any text, in any of some zones.

#![no_main]

use dlr_receiver::domain::{Account, ProviderTime};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let zone = Account::TIME_ZONE;
    let text = text.trim();
    if text.is_empty() {
        return;
    }
    if let ProviderTime::At(time) = ProviderTime::read(text, zone) {
        assert_eq!(ProviderTime::read(&time.to_rfc3339(), zone), ProviderTime::At(time), "{text}");
    }
});
