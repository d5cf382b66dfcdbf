//! A cursor of any text: only what was given out is taken, and only for its own list.

#![no_main]

use dlr_receiver::storage::Cursor;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(cursor) = Cursor::decode(text, "messages") {
        assert_eq!(cursor.encode("messages"), text, "two texts are one cursor");
        assert!(Cursor::decode(text, "rejected").is_err(), "a cursor of one list opens another");
    }
});
