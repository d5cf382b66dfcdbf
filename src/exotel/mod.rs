//! Exotel's wire: bytes in, a [`StatusCallback`](crate::domain::StatusCallback) out.
//!
//! Reads leniently whatever Exotel and its older versions are known to send. May import `domain` only.

mod callback;
mod form;
mod json;
mod multipart;
mod other_event;
mod raw_request;
mod text;

pub use callback::{CallbackError, ParsedCallback, parse};
pub use form::RESERVED as RESERVED_QUERY_KEYS;
pub use raw_request::RawRequest;
