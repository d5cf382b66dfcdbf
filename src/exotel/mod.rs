//! Exotel's wire: bytes in, a [`StatusCallback`](crate::domain::StatusCallback) out; and the answers of
//! Exotel's API, for those who ask us in its way.
//!
//! Reads leniently whatever Exotel and its older versions are known to send. May import `domain` only.

mod api_error;
mod body;
mod callback;
mod callback_error;
mod campaign;
mod charset;
mod content_encoding;
mod form;
mod format;
mod json;
mod multipart;
mod opening;
mod other_event;
pub mod query;
mod raw_request;
mod said;
mod sms_message;
mod text;

pub use api_error::ApiError;
pub use callback::{ParsedCallback, parse};
pub use callback_error::CallbackError;
pub use campaign::{CampaignRow, Envelope, Metadata};
pub use form::{RESERVED as RESERVED_QUERY_KEYS, SIGNED_RECIPIENT};
pub use format::AnswerFormat;
pub use opening::json_text;
pub use raw_request::RawRequest;
pub use said::Said;
pub use sms_message::{SmsMessage, Telling};
