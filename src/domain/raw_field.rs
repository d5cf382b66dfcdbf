//! A field of a callback as it was received, and the text in it.

use std::{borrow::Cow, fmt};

use super::Field;

/// A field as received: a key and its text, none for JSON's null. Free of NUL characters.
#[derive(Clone, PartialEq, Eq)]
pub struct RawField {
    /// The key in the provider's spelling.
    pub key: Cow<'static, str>,
    /// The value; numbers and nested JSON as they were written.
    pub value: Option<String>,
    /// The bytes as they came, where the texts do not hold them: some were replaced by U+FFFD. Boxed, since it is rare.
    pub original: Option<Box<OriginalBytes>>,
}

/// The bytes of a field as they came, without what encoded them on the way: percent signs, or JSON's escapes.
#[derive(Clone, PartialEq, Eq)]
pub struct OriginalBytes {
    /// Those of the key.
    pub key: Vec<u8>,
    /// Those of the value; none of JSON's null.
    pub value: Vec<u8>,
}

/// Its name, where it is a known one: the rest is the recipient's and the sender's.
impl fmt::Debug for RawField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Field::from_key(&self.key) {
            Some(field) => write!(f, "{field:?}"),
            None => f.write_str("…"),
        }
    }
}

impl RawField {
    /// A field whose bytes are all text.
    #[must_use]
    pub fn new(key: impl Into<Cow<'static, str>>, value: Option<String>) -> Self {
        Self { key: key.into(), value, original: None }
    }

    /// What it says: trimmed, out of its `['…']`, none where it is empty or `null`.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        text(self.value.as_deref()?)
    }
}

/// The text of a value; none where it says nothing.
pub(super) fn text(value: &str) -> Option<&str> {
    let text = unwrapped(value).unwrap_or(value).trim();
    (!text.is_empty() && !text.eq_ignore_ascii_case("null")).then_some(text)
}

/// Out of `['…']` or `["…"]`, which some senders' proxies make of a value.
pub(super) fn unwrapped(value: &str) -> Option<&str> {
    let inner = value.trim().strip_prefix('[')?.strip_suffix(']')?.trim();
    ['\'', '"'].iter().find_map(|&quote| {
        let text = inner.strip_prefix(quote)?.strip_suffix(quote)?;
        // Several values are no wrapper; an apostrophe inside one is.
        let several = text.split(quote).skip(1).any(|rest| rest.trim_start().starts_with(','));
        (!several).then_some(text)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debugging_shows_which_field_it_is_and_nothing_of_it() {
        let shown = |key: &str| format!("{:?}", RawField::new(key.to_owned(), Some("0981".into())));
        assert_eq!([shown("sms_sid"), shown("To"), shown("0981")], ["SmsSid", "To", "…"]);
    }
}
