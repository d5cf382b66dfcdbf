//! A callback as an HTTP request, in each of the shapes in which Exotel sends it.
//!
//! May import `domain` and `exotel`.

use std::fmt::Write;

use bytes::Bytes;
use serde_json::{Map, Value};
use url::form_urlencoded::Serializer;

use super::{shape::Shape, spelling::Fields, traffic::SimulatedMessage};
use crate::exotel::RawRequest;

/// In no text of the simulator's.
const BOUNDARY: &str = "------------------------e0a1f7b2c3d4";

/// A request to the callback URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CallbackRequest {
    /// The query string, percent-encoded.
    pub query: String,
    /// Content type and body; none is a GET.
    pub body: Option<(&'static str, Vec<u8>)>,
}

impl CallbackRequest {
    /// A callback of `message`; `query` is what the callback URL has of its own.
    pub fn of(message: &SimulatedMessage, fields: &Fields, query: &str) -> Self {
        let encoder = || Serializer::new(String::new());
        let labels = encoder().extend_pairs(message.labels.iter()).finish();
        let form = || encoder().extend_pairs(fields.iter().map(|(key, value)| (*key, text(value)))).finish();
        let body = match message.shape {
            Shape::Get => return Self { query: joined(&[query, &labels, &form()]), body: None },
            Shape::Form => (FORM, form().into_bytes()),
            Shape::Json => (JSON, json(fields).into_bytes()),
            Shape::Multipart => (MULTIPART, multipart(fields).into_bytes()),
        };
        Self { query: joined(&[query, &labels]), body: Some(body) }
    }

    /// The request as the receiver parses it.
    pub fn raw(&self) -> RawRequest {
        let query = self.query.clone();
        match &self.body {
            None => RawRequest::Get { query },
            Some((content_type, body)) => RawRequest::Post {
                content_type: Some((*content_type).to_owned()),
                content_encoding: None,
                query,
                body: Bytes::copy_from_slice(body),
            },
        }
    }
}

/// Content type of a form.
pub(super) const FORM: &str = "application/x-www-form-urlencoded";
/// Content type of JSON.
pub(super) const JSON: &str = "application/json";
/// Content type of multipart bodies.
pub(super) const MULTIPART: &str = "multipart/form-data; boundary=------------------------e0a1f7b2c3d4";

fn joined(parts: &[&str]) -> String {
    let parts: Vec<&str> = parts.iter().copied().filter(|part| !part.is_empty()).collect();
    parts.join("&")
}

/// A value as form text: a form has no null and no numbers.
fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn json(fields: &Fields) -> String {
    let members: Map<String, Value> =
        fields.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
    Value::Object(members).to_string()
}

/// Fields as `multipart/form-data`, with [`MULTIPART`] as the content type.
pub(super) fn multipart(fields: &Fields) -> String {
    let mut body = String::new();
    for (key, value) in fields {
        let head = format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{key}\"");
        write!(body, "{head}\r\n\r\n{}\r\n", text(value)).expect("a String takes any text");
    }
    body + "--" + BOUNDARY + "--\r\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::Field,
        exotel::parse,
        simulator::{
            shape::SHAPES,
            traffic::{MOST_CALLBACKS, Traffic},
        },
    };

    #[test]
    fn the_receiver_understands_every_callback_in_every_shape() {
        let traffic = Traffic::new(5);
        for number in 0..2_000 {
            let mut message = traffic.message(number);
            assert!((1..=MOST_CALLBACKS).contains(&message.callbacks.len()));
            for (shape, _) in SHAPES {
                message.shape = shape;
                for fields in &message.callbacks {
                    let request = CallbackRequest::of(&message, fields, "token=s3cret&team=a%26b");
                    let parsed = parse(&request.raw()).unwrap();
                    assert_eq!(parsed.callback.sid().as_str(), message.sid);
                    assert_eq!(parsed.labels.get("team"), Some("a&b"));
                    for (key, value) in &message.labels {
                        assert_eq!(parsed.labels.get(key), Some(value.as_str()));
                    }
                    let said =
                        fields.iter().find(|(key, _)| *key == "CustomField").map(|(_, value)| text(value));
                    let expected = said.map(|text| text.replace('\0', "\u{FFFD}"));
                    if !fields.iter().any(|(key, _)| *key == "custom_field") {
                        assert_eq!(parsed.callback.get(Field::CustomField), expected.as_deref());
                    }
                }
            }
        }
    }
}
