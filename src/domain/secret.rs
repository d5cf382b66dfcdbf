//! Values of the configuration that need care: secrets, and lists that an environment variable may hold.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A text that is never shown: its `Debug` and its serialised form are `[redacted]`.
#[derive(Clone, PartialEq, Eq, Deserialize)]
pub struct Secret(String);

impl Secret {
    /// The text itself.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(text.trim().to_owned())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("[redacted]")
    }
}

/// A list, written as a list or, as environment variables must, as one text with commas.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct StringList<T>(pub Vec<T>);

impl<'de, T: Deserialize<'de> + for<'a> From<&'a str>> Deserialize<'de> for StringList<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            List(Vec<String>),
            Text(String),
        }
        let items: Vec<String> = match Written::deserialize(deserializer)? {
            Written::List(items) => items,
            Written::Text(text) => text.split(',').map(str::to_owned).collect(),
        };
        let items = items.iter().map(|item| item.trim()).filter(|item| !item.is_empty());
        Ok(Self(items.map(T::from).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_shows_itself_to_nobody() {
        let secret = Secret::from("hunter2");
        assert_eq!(format!("{secret:?}"), "[redacted]");
        assert_eq!(serde_json::to_string(&secret).unwrap(), "\"[redacted]\"");
        assert_eq!(secret.reveal(), "hunter2");
    }

    #[test]
    fn a_list_is_read_from_a_list_or_from_commas() {
        let read = |json| serde_json::from_str::<StringList<Secret>>(json).unwrap().0;
        assert_eq!(read(r#"["new","old"]"#), read(r#""new, old,""#));
        assert!(read(r#""""#).is_empty());
    }
}
