//! Text that a database can hold.

use std::borrow::Cow;

/// Collects text and remembers whether any of it had to be replaced.
#[derive(Debug, Default)]
pub(super) struct Texts {
    /// Whether a NUL or invalid UTF-8 became U+FFFD.
    pub replaced: bool,
}

impl Texts {
    /// `bytes` as text, each invalid sequence as U+FFFD.
    pub fn read(&mut self, bytes: &[u8]) -> String {
        let text = String::from_utf8_lossy(bytes);
        self.replaced |= matches!(text, Cow::Owned(_));
        self.clean(text.into_owned())
    }

    /// `text` without NUL, which Postgres cannot hold.
    pub fn clean(&mut self, text: String) -> String {
        if !text.contains('\0') {
            return text;
        }
        self.replaced = true;
        text.replace('\0', "\u{FFFD}")
    }
}
