//! Writes the fields of a receipt as one JSON object, and reads them back.
//!
//! A value is a text, or null; the values of a key that was given several times are a list. A value whose bytes had to be
//! replaced is an object: its text, and key and value as they came, percent-encoded.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use serde::{
    Deserialize, Serialize,
    ser::{SerializeMap, Serializer},
};
use serde_json::{Map, Value};

use crate::domain::RawField;

/// A key and a value in their bytes, percent-encoded but for letters, digits and `-._~`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EncodedField {
    /// The key.
    pub key: String,
    /// The value.
    pub value: String,
}

/// Characters that are not encoded. Source: RFC 3986, unreserved characters.
const ENCODED: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A value with its original bytes, some of which its text cannot represent.
#[derive(Serialize, Deserialize)]
struct Replaced {
    text: Option<String>,
    original: EncodedField,
}

/// Raw fields as one JSON object, in the order received. The values of a repeated key become a list.
pub(super) fn fields_json(fields: &[RawField]) -> String {
    let mut json = Vec::with_capacity(256);
    let mut serializer = serde_json::Serializer::new(&mut json);
    write_fields(fields, &mut serializer).expect("texts are JSON");
    String::from_utf8(json).expect("JSON is UTF-8")
}

fn write_fields<S: Serializer>(fields: &[RawField], serializer: S) -> Result<S::Ok, S::Error> {
    let mut object = serializer.serialize_map(None)?;
    for (at, field) in fields.iter().enumerate() {
        if fields[..at].iter().any(|earlier| earlier.key == field.key) {
            continue;
        }
        let says_more = |later: &&RawField| {
            later.key == field.key && (later.value != field.value || later.original != field.original)
        };
        let mut values: Vec<_> = fields[at + 1..].iter().filter(says_more).map(KeptValue).collect();
        if values.is_empty() {
            object.serialize_entry(&field.key, &KeptValue(field))?;
        } else {
            values.insert(0, KeptValue(field));
            object.serialize_entry(&field.key, &values)?;
        }
    }
    object.end()
}

/// The value of a field as it is stored.
struct KeptValue<'f>(&'f RawField);

impl Serialize for KeptValue<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let RawField { value, original, .. } = self.0;
        let Some(original) = original else { return value.serialize(serializer) };
        let encoded = |bytes: &[u8]| percent_encode(bytes, &ENCODED).to_string();
        let original = EncodedField { key: encoded(&original.key), value: encoded(&original.value) };
        Replaced { text: value.clone(), original }.serialize(serializer)
    }
}

/// Fields as they were stored.
pub(super) struct KeptFields {
    /// Keys and texts.
    pub fields: Map<String, Value>,
    /// The fields whose texts do not hold all original bytes.
    pub originals: Vec<EncodedField>,
}

impl KeptFields {
    /// Reads stored fields and separates texts from original bytes.
    pub fn read(json: &str) -> Result<Self, serde_json::Error> {
        let (mut fields, mut originals) = (serde_json::from_str::<Map<String, Value>>(json)?, Vec::new());
        let mut take = |value: &mut Value| {
            // Another program wrote an object of another shape.
            let replaced = value.is_object().then(|| Replaced::deserialize(&*value));
            if let Some(Ok(Replaced { text, original })) = replaced {
                originals.push(original);
                *value = text.into();
            }
        };
        for value in fields.values_mut() {
            match value {
                Value::Array(values) => values.iter_mut().for_each(&mut take),
                value => take(value),
            }
        }
        Ok(Self { fields, originals })
    }
}

/// The texts of stored fields without original bytes, which play no part in normalising and are dropped when a recipient is
/// erased.
pub(super) fn raw_fields(object: &Map<String, Value>) -> Vec<RawField> {
    let each = object.iter().flat_map(|(key, value)| match value {
        Value::Array(values) => values.iter().map(|value| (key, value)).collect(),
        value => vec![(key, value)],
    });
    let text = |value: &Value| value.get("text").unwrap_or(value).as_str().map(str::to_owned);
    each.map(|(key, value)| RawField::new(key.clone(), text(value))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::OriginalBytes;

    fn field(key: &str, value: Option<&str>) -> RawField {
        RawField::new(key.to_owned(), value.map(Into::into))
    }

    #[test]
    fn raw_fields_keep_their_order_and_lose_nothing() {
        let fields = [
            field("SmsSid", Some("s\"1")),
            field("z", Some("1")),
            field("Null", None),
            field("z", Some("2")),
            field("SmsSid", Some("s\"1")),
        ];
        let json = fields_json(&fields);
        assert_eq!(json, r#"{"SmsSid":"s\"1","z":["1","2"],"Null":null}"#);
        let read = raw_fields(&serde_json::from_str(&json).unwrap());
        assert!(read == [&fields[0], &fields[1], &fields[3], &fields[2]].map(Clone::clone));
    }

    #[test]
    fn bytes_that_were_replaced_stand_beside_the_texts() {
        let replaced = |key: &str, value: Option<&str>, bytes: [&[u8]; 2]| {
            let original = OriginalBytes { key: bytes[0].to_vec(), value: bytes[1].to_vec() };
            RawField { original: Some(Box::new(original)), ..field(key, value) }
        };
        let fields = [
            field("SmsSid", Some("s1")),
            replaced("x", Some("\u{FFFD}"), [b"x", b"\xE9"]),
            replaced("x", Some("\u{FFFD}"), [b"x", b"\xE8 \0"]),
            replaced("\u{FFFD}", None, [b"\xE9", b""]),
        ];
        let json = fields_json(&fields);
        let KeptFields { fields: texts, originals } = KeptFields::read(&json).unwrap();
        let told = serde_json::to_string(&texts).unwrap();
        assert_eq!(told, "{\"SmsSid\":\"s1\",\"x\":[\"\u{FFFD}\",\"\u{FFFD}\"],\"\u{FFFD}\":null}");
        let originals: Vec<_> = originals.iter().map(|field| (&*field.key, &*field.value)).collect();
        assert_eq!(originals, [("x", "%E9"), ("x", "%E8%20%00"), ("%E9", "")]);
        // Whoever reads what is kept without taking it apart reads the same texts.
        let kept = raw_fields(&serde_json::from_str(&json).unwrap());
        assert!(kept == raw_fields(&texts) && kept.iter().all(|field| field.original.is_none()));
    }
}
