//! Decodes bytes in any charset into text that a database can hold.

use encoding_rs::{Encoding, UTF_8};

use crate::domain::{Field, OriginalBytes, RawField};

/// Decodes the fields of a request, and remembers whether a byte had to be replaced.
#[derive(Debug)]
pub(super) struct Texts {
    /// The charset of the bytes.
    pub charset: &'static Encoding,
    /// Whether a NUL, or a byte that is invalid in the charset, was replaced by U+FFFD.
    pub replaced: bool,
}

impl Default for Texts {
    fn default() -> Self {
        Self::of(UTF_8)
    }
}

impl Texts {
    pub fn of(charset: &'static Encoding) -> Self {
        Self { charset, replaced: false }
    }

    /// Decodes a field. It keeps its original bytes where some were replaced. A missing value is JSON's null.
    pub fn field(&mut self, key: Vec<u8>, value: Option<Vec<u8>>) -> RawField {
        let (key, original_key) = text(key, self.charset);
        let (value, original_value) = match value.map(|value| text(value, self.charset)) {
            Some((value, original)) => (Some(value), original),
            None => (None, None),
        };
        let name = Field::from_name(&key).map(|field| field.name().into());
        let original = match (original_key, original_value) {
            (None, None) => None,
            // What was text is told in UTF-8.
            (original_key, original_value) => {
                let key = original_key.unwrap_or_else(|| key.clone().into_bytes());
                let unchanged = || value.clone().unwrap_or_default().into_bytes();
                Some(Box::new(OriginalBytes { key, value: original_value.unwrap_or_else(unchanged) }))
            }
        };
        self.replaced |= original.is_some();
        RawField { key: name.unwrap_or_else(|| key.into()), value, original }
    }
}

/// Decodes bytes into text without NUL, which Postgres cannot hold; returns the bytes as well where some were replaced.
fn text(bytes: Vec<u8>, charset: &'static Encoding) -> (String, Option<Vec<u8>>) {
    let (text, bytes) = if charset == UTF_8 {
        match String::from_utf8(bytes) {
            Ok(text) => (text, None),
            Err(error) => (String::from_utf8_lossy(error.as_bytes()).into_owned(), Some(error.into_bytes())),
        }
    } else {
        let (text, malformed) = charset.decode_without_bom_handling(&bytes);
        let text = text.into_owned();
        (text, malformed.then_some(bytes))
    };
    if !text.contains('\0') {
        return (text, bytes);
    }
    let replaced = text.replace('\0', "\u{FFFD}");
    (replaced, Some(bytes.unwrap_or_else(|| text.into_bytes())))
}

#[cfg(test)]
mod tests {
    use encoding_rs::{SHIFT_JIS, WINDOWS_1252};
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn bytes_that_are_replaced_are_kept_beside_their_text() {
        for (charset, bytes, text, kept) in [
            (UTF_8, &b"Caf\xC3\xA9"[..], "Café", false),
            (UTF_8, b"Caf\xE9", "Caf\u{FFFD}", true),
            (UTF_8, b"a\0b", "a\u{FFFD}b", true),
            (UTF_8, "\u{FFFD}".as_bytes(), "\u{FFFD}", false),
            (WINDOWS_1252, b"Caf\xE9 \x80", "Café €", false),
            (WINDOWS_1252, b"\0", "\u{FFFD}", true),
            (SHIFT_JIS, b"\x83\x65\x83\x58\x83\x67", "テスト", false),
            (SHIFT_JIS, b"\xFFx", "\u{FFFD}x", true),
        ] {
            let mut texts = Texts::of(charset);
            let field = texts.field(b"CustomField".to_vec(), Some(bytes.to_vec()));
            assert_eq!(field.value.as_deref(), Some(text), "{bytes:?}");
            let expected = OriginalBytes { key: b"CustomField".to_vec(), value: bytes.to_vec() };
            assert!(field.original == kept.then(|| Box::new(expected)), "{bytes:?}");
            assert_eq!(texts.replaced, kept, "{bytes:?}");
        }
        let key = Texts::default().field(b"N\xE9".to_vec(), None);
        assert!(key.original.is_some_and(|original| original.key == b"N\xE9" && original.value.is_empty()));
    }

    proptest! {
        #[test]
        fn no_byte_is_lost(bytes: Vec<u8>) {
            let field = Texts::default().field(Vec::new(), Some(bytes.clone()));
            let text = field.value.unwrap();
            prop_assert!(!text.contains('\0'));
            let kept = field.original.map_or(text.into_bytes(), |original| original.value);
            prop_assert_eq!(kept, bytes);
        }
    }
}
