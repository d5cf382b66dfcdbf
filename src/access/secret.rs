//! Types of configuration values: secrets, and lists that an environment variable can hold.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{SeqAccess, Visitor, value::SeqAccessDeserializer},
};

/// A secret text. `Debug` and `Serialize` give `[redacted]`.
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

/// A list, written as a list or as one text with commas or line feeds. Environment variables and mounted secret files
/// hold the latter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct StringList<T>(pub Vec<T>);

impl<'de, T: for<'a> From<&'a str>> Deserialize<'de> for StringList<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct StringListVisitor<T>(PhantomData<T>);
        impl<'de, T: for<'a> From<&'a str>> Visitor<'de> for StringListVisitor<T> {
            type Value = StringList<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of texts, or one text with commas")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Self::Value, A::Error> {
                let items = Vec::<String>::deserialize(SeqAccessDeserializer::new(items))?;
                Ok(StringList::of(items.iter().map(String::as_str)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(StringList::of(text.split([',', '\n'])))
            }
        }
        deserializer.deserialize_any(StringListVisitor(PhantomData))
    }
}

impl<T: for<'a> From<&'a str>> StringList<T> {
    /// The items, trimmed, without empty ones.
    fn of<'a>(items: impl Iterator<Item = &'a str>) -> Self {
        Self(items.map(str::trim).filter(|item| !item.is_empty()).map(T::from).collect())
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
        assert_eq!(read(r#"["new","old"]"#), read(r#""new\nold""#));
        assert!(read(r#""""#).is_empty());
    }
}
