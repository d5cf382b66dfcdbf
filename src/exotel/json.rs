//! `application/json`: one object. Numbers keep their digits, and repeated keys are kept.

use std::{borrow::Cow, fmt, fmt::Write};

use encoding_rs::{
    UTF_8,
    mem::{decode_latin1, encode_latin1_lossy},
};
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_bytes::ByteBuf;
use serde_json::value::RawValue;

use super::{opening::stripped, text::Texts};
use crate::domain::RawField;

/// Why a body is not one JSON object.
#[derive(Debug)]
pub(super) enum JsonFault {
    /// It is no JSON object.
    Syntax(serde_json::Error),
    /// It is a list of so many items, not of one.
    List(usize),
}

impl From<serde_json::Error> for JsonFault {
    fn from(error: serde_json::Error) -> Self {
        Self::Syntax(error)
    }
}

/// The members of a JSON object in order; a map would lose repeated keys. Keys are bytes, as a JSON string may be no text.
struct Members<'a>(Vec<Member<'a>>);

/// A member of an object.
struct Member<'a> {
    key: ByteBuf,
    value: &'a RawValue,
}

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
                while let Some((key, value)) = map.next_entry()? {
                    members.push(Member { key, value });
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

/// How the parsed text represents the body's bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// The bytes, decoded by their charset.
    Text,
    /// One character for each byte (Latin-1), since some bytes are invalid in the charset. JSON's own signs are the same.
    Bytes,
}

/// A body's fields. Exotel's own wrapper `{"SMSMessage": {…}}` is removed; its `Sid` is the message's Sid.
pub(super) fn fields(body: &[u8], texts: &mut Texts) -> Result<Vec<RawField>, JsonFault> {
    let (text, form) = match texts.charset.decode_without_bom_handling_and_without_replacement(body) {
        Some(text) => {
            texts.charset = UTF_8;
            (text, Form::Text)
        }
        None => (decode_latin1(body), Form::Bytes),
    };
    match read(&text, form, texts) {
        Err(JsonFault::Syntax(error)) => {
            let Some(mended) = mended(&text) else { return Err(error.into()) };
            texts.replaced = true;
            read(&mended, form, texts).map_err(|fault| match fault {
                JsonFault::Syntax(_) => error.into(),
                list @ JsonFault::List(_) => list,
            })
        }
        read => read,
    }
}

fn read(text: &str, form: Form, texts: &mut Texts) -> Result<Vec<RawField>, JsonFault> {
    let mut object = text;
    if text.starts_with('[') {
        let items: Vec<&RawValue> = serde_json::from_str(text)?;
        let [item] = items.as_slice() else { return Err(JsonFault::List(items.len())) };
        object = item.get();
    }
    let Members(members) = serde_json::from_str(object)?;
    let field = |member| field(member, form, texts);
    match members.as_slice() {
        [Member { key, value: inner }] if **key == b"SMSMessage"[..] && inner.get().starts_with('{') => {
            let Members(mut members) = serde_json::from_str(inner.get())?;
            for member in members.iter_mut().filter(|member| *member.key == b"Sid"[..]) {
                member.key = ByteBuf::from("SmsSid");
            }
            Ok(members.into_iter().map(field).collect::<Result<_, _>>()?)
        }
        _ => Ok(members.into_iter().map(field).collect::<Result<_, _>>()?),
    }
}

/// A field. Strings are read as bytes, since JSON can escape half a surrogate pair, which is no text.
fn field(
    Member { key, value }: Member<'_>,
    form: Form,
    texts: &mut Texts,
) -> Result<RawField, serde_json::Error> {
    let bytes = |text| match form {
        Form::Text => Cow::Borrowed(str::as_bytes(text)),
        Form::Bytes => encode_latin1_lossy(text),
    };
    let key = match form {
        Form::Text => key.into_vec(),
        Form::Bytes => bytes_of_key(&key),
    };
    let value = match value.get() {
        "null" => None,
        string if string.starts_with('"') => {
            Some(serde_json::from_slice::<ByteBuf>(&bytes(string))?.into_vec())
        }
        other => Some(bytes(other).into_owned()),
    };
    Ok(texts.field(stripped_key(key), value))
}

/// A key without a byte order mark, which some senders put within its quotes.
fn stripped_key(key: Vec<u8>) -> Vec<u8> {
    if key.first().is_some_and(u8::is_ascii) { key } else { stripped(&key).to_vec() }
}

/// The bytes of a key in which each character stands for one byte, except escaped ones.
fn bytes_of_key(key: &[u8]) -> Vec<u8> {
    let Ok(text) = str::from_utf8(key) else { return key.to_vec() };
    let mut bytes = Vec::with_capacity(text.len());
    for c in text.chars() {
        match u8::try_from(u32::from(c)) {
            Ok(byte) => bytes.push(byte),
            Err(_) => bytes.extend(c.encode_utf8(&mut [0; 4]).bytes()),
        }
    }
    bytes
}

/// The text with the control characters within its strings escaped, as JSON requires; none where there are none.
fn mended(text: &str) -> Option<String> {
    let (mut mended, mut is_mended) = (String::with_capacity(text.len() + 32), false);
    let (mut in_string, mut is_escaped) = (false, false);
    for c in text.chars() {
        if in_string && !is_escaped && c < ' ' {
            is_mended = true;
            let _ = write!(mended, "\\u{:04x}", u32::from(c));
            continue;
        }
        in_string ^= c == '"' && !is_escaped;
        is_escaped = in_string && c == '\\' && !is_escaped;
        mended.push(c);
    }
    is_mended.then_some(mended)
}

#[cfg(test)]
mod tests {
    use encoding_rs::{Encoding, WINDOWS_1252};

    use super::*;

    type Pairs = Vec<(String, Option<String>)>;

    fn pairs(body: &[u8], charset: &'static Encoding) -> Result<(Pairs, bool), JsonFault> {
        let mut texts = Texts::of(charset);
        let fields = fields(body, &mut texts)?.into_iter();
        Ok((fields.map(|field| (field.key.into_owned(), field.value)).collect(), texts.replaced))
    }

    fn value(body: &[u8], charset: &'static Encoding) -> (String, bool) {
        let (mut pairs, replaced) = pairs(body, charset).unwrap();
        (pairs.pop().unwrap().1.unwrap(), replaced)
    }

    #[test]
    fn raw_control_characters_within_strings_are_kept_and_flagged() {
        for (body, text) in [
            ("{\"a\":\"x\ny\"}", "x\ny"),
            ("{\"a\":\"x\r\n\ty\\\"\n\"}", "x\r\n\ty\"\n"),
            ("{\r\n\t\"a\" :\r\n\"\u{1}\u{1b}\\\\\n\"\r\n}", "\u{1}\u{1b}\\\n"),
            ("{\"a\":\"\0\"}", "\u{FFFD}"),
            ("{\"a\":{\"b\":\"x\ny\"}}", "{\"b\":\"x\\u000ay\"}"),
        ] {
            assert_eq!(value(body.as_bytes(), UTF_8), (text.to_owned(), true), "{body:?}");
        }
        assert_eq!(value(b"{\n\t\"a\":\n\"x\\ny\"}", UTF_8), ("x\ny".to_owned(), false));
        for broken in ["{\"a\":\"x\\\ny\"}", "{\"a\":\"x\n}", "{\"a\":1\0}", "{\"a\":\"\n\"}}"] {
            assert!(matches!(pairs(broken.as_bytes(), UTF_8), Err(JsonFault::Syntax(_))), "{broken:?}");
        }
    }

    #[test]
    fn bytes_are_read_in_the_charset_that_is_declared() {
        assert_eq!(value(b"{\"a\":\"Caf\xE9\"}", WINDOWS_1252), ("Café".to_owned(), false));
        assert_eq!(value(b"{\"a\":\"Caf\xE9 \\u0939\"}", WINDOWS_1252), ("Café ह".to_owned(), false));
        assert_eq!(value(b"{\"a\":\"Caf\xE9\"}", UTF_8), ("Caf\u{FFFD}".to_owned(), true));
    }

    #[test]
    fn bytes_that_are_no_text_are_kept() {
        let body = b"{\"N\xE9\":\"x\\n\xFF\xC3\xA9\\u0939\",\"o\":[\"\xE9\"],\"ok\":\"\xC3\xA9\"}";
        let fields = fields(body, &mut Texts::default()).unwrap();
        let original = |at: usize| fields[at].original.as_deref().unwrap();
        assert_eq!(original(0).key, b"N\xE9");
        assert_eq!(original(0).value, b"x\n\xFF\xC3\xA9\xE0\xA4\xB9");
        assert_eq!(original(1).value, b"[\"\xE9\"]");
        assert!(fields[2].original.is_none());
        assert_eq!(fields[2].value.as_deref(), Some("é"));
    }

    #[test]
    fn a_list_of_one_is_that_one() {
        let of = |body: &str| pairs(body.as_bytes(), UTF_8);
        assert_eq!(of("[{\"a\":1}]").unwrap(), of("{\"a\":1}").unwrap());
        assert_eq!(of("[ {\"SMSMessage\":{\"Sid\":\"s\"}} ]").unwrap(), of("{\"SmsSid\":\"s\"}").unwrap());
        for (body, length) in [("[]", 0), ("[{},{}]", 2), ("[1,2,3]", 3), ("[\"\n\",1]", 2)] {
            assert!(matches!(of(body), Err(JsonFault::List(n)) if n == length), "{body}");
        }
        for body in ["[1]", "[[{}]]", "[{}", "[{}]]", "1", "\"x\"", ""] {
            assert!(matches!(of(body), Err(JsonFault::Syntax(_))), "{body}");
        }
    }
}
