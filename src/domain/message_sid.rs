//! Exotel's identifier of a message.

use std::fmt;

/// A message's Sid: mostly 32 hexadecimal digits, but longer and other ones exist, so any text of
/// 1 to 128 characters is taken as it comes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageSid(Box<str>);

/// Why a text is no Sid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadMessageSid {
    /// Too long.
    #[error("SmsSid has {length} characters, at most {} are taken", MessageSid::MAX_CHARS)]
    TooLong {
        /// How many characters it has.
        length: usize,
    },
    /// JSON of several values.
    #[error("SmsSid is a list or an object, not a text")]
    Nested,
}

impl MessageSid {
    /// The longest Sid that is taken, in characters.
    pub const MAX_CHARS: usize = 128;

    /// Checks and keeps `sid`, which is trimmed and not empty.
    ///
    /// # Errors
    /// [`BadMessageSid`] when it is longer than [`Self::MAX_CHARS`], or several values in one.
    pub fn new(sid: &str) -> Result<Self, BadMessageSid> {
        match sid.chars().count() {
            length if length > Self::MAX_CHARS => Err(BadMessageSid::TooLong { length }),
            _ if sid.starts_with(['[', '{']) => Err(BadMessageSid::Nested),
            _ => Ok(Self(sid.into())),
        }
    }

    /// The Sid as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for MessageSid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_of_reasonable_length_is_a_sid() {
        assert_eq!(MessageSid::new("34d67d290cb7bo").unwrap().as_str(), "34d67d290cb7bo");
        assert!(MessageSid::new(&"é".repeat(128)).is_ok());
        let refused = MessageSid::new(&"x".repeat(129)).unwrap_err();
        assert_eq!(refused.to_string(), "SmsSid has 129 characters, at most 128 are taken");
        assert_eq!(MessageSid::new("['a', 'b']"), Err(BadMessageSid::Nested));
    }
}
