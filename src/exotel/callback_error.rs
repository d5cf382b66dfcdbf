//! The error of a request that is not a status callback.

use super::{json::JsonFault, other_event::resembles};
use crate::domain::{NotAStatusCallback, RawField};

/// Why a request is no status callback.
#[derive(Debug, thiserror::Error)]
pub enum CallbackError {
    /// A content type that Exotel does not use.
    #[error(
        "content type `{0}` is not taken: send application/x-www-form-urlencoded, application/json or multipart/form-data"
    )]
    ContentType(String),
    /// A body that would have to be decompressed.
    #[error("content encoding `{0}` is not taken: send the body as it is")]
    ContentEncoding(String),
    /// The body is not what its content type says.
    #[error("the body is no valid {encoding}: {why}")]
    Malformed {
        /// What it should be.
        encoding: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// The body is a JSON list of several callbacks, or of none.
    #[error("the body is a list of {length}: one callback per request")]
    List {
        /// How many it holds.
        length: usize,
    },
    /// The fields are no status callback.
    #[error("this is no status callback: {reason}")]
    NotAStatusCallback {
        /// What is missing or wrong.
        reason: NotAStatusCallback,
        /// The keys that were received: the first 40, cut to 40 characters.
        received: Vec<String>,
        /// What it resembles, such as an inbound SMS.
        resembles: Option<&'static str>,
    },
}

/// The most received keys that an error names.
const RECEIVED_KEYS: usize = 40;
/// The most characters of each key that it shows.
const KEY_CHARS: usize = 40;

impl CallbackError {
    pub(super) fn content_type(essence: &str) -> Self {
        Self::ContentType(shown(&essence.to_ascii_lowercase()))
    }

    pub(super) fn content_encoding(header: &str) -> Self {
        Self::ContentEncoding(shown(header))
    }

    pub(super) fn not_a_callback(reason: NotAStatusCallback, fields: &[RawField]) -> Self {
        let received = fields.iter().take(RECEIVED_KEYS).map(|field| shown(&field.key)).collect();
        Self::NotAStatusCallback { reason, received, resembles: resembles(fields) }
    }
}

impl From<JsonFault> for CallbackError {
    fn from(fault: JsonFault) -> Self {
        match fault {
            JsonFault::List(length) => Self::List { length },
            JsonFault::Syntax(error) => Self::Malformed { encoding: "JSON", why: without_content(&error) },
        }
    }
}

/// Line, column and reason of a JSON error, without the text there, which may be a phone number.
fn without_content(error: &serde_json::Error) -> String {
    let kind = match error.classify() {
        serde_json::error::Category::Eof => "it ends too early",
        serde_json::error::Category::Data => "it is not one object",
        _ => "its syntax is broken",
    };
    format!("{kind} at line {} column {}", error.line(), error.column())
}

/// A word of the caller, shortened to what an error may repeat.
fn shown(word: &str) -> String {
    word.chars().take(KEY_CHARS).collect()
}
