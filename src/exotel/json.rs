//! `application/json`: one object. Numbers keep their digits, repeated keys are kept apart.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;

use super::text::Texts;
use crate::domain::RawField;

/// The members of a JSON object in order; a map would forget repeats.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("one JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

/// A body's fields. Exotel's own `{"SMSMessage": {…}}` is opened, and its `Sid` is the message's.
pub(super) fn fields(body: &[u8], texts: &mut Texts) -> Result<Vec<RawField>, serde_json::Error> {
    let text = texts.read(body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body));
    let Members(members) = serde_json::from_str(&text)?;
    match members.as_slice() {
        [(key, inner)] if key == "SMSMessage" && inner.get().starts_with('{') => {
            let Members(members) = serde_json::from_str(inner.get())?;
            let rename = |key: String| if key == "Sid" { "SmsSid".to_owned() } else { key };
            members.into_iter().map(|(key, value)| field((rename(key), value), texts)).collect()
        }
        _ => members.into_iter().map(|member| field(member, texts)).collect(),
    }
}

/// Strings come as bytes, since JSON can escape half a surrogate pair, which is no text.
fn field((key, value): (String, &RawValue), texts: &mut Texts) -> Result<RawField, serde_json::Error> {
    let value = match value.get() {
        "null" => None,
        string if string.starts_with('"') => {
            let bytes: serde_bytes::ByteBuf = serde_json::from_str(string)?;
            Some(texts.read(&bytes))
        }
        other => Some(other.to_owned()),
    };
    Ok(RawField { key: texts.clean(key).into(), value })
}
