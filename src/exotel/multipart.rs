//! `multipart/form-data`, the default of Exotel's voice callbacks.

use std::convert::Infallible;

use futures_util::{FutureExt, stream};
use multer::Multipart;

use super::text::Texts;
use crate::domain::RawField;

/// A body's fields; parts without a name are passed over.
pub(super) fn fields(body: &[u8], boundary: &str, texts: &mut Texts) -> Result<Vec<RawField>, multer::Error> {
    let whole = stream::iter([Ok::<_, Infallible>(body.to_vec())]);
    let mut parts = Multipart::new(whole, boundary);
    let read_all = async {
        let mut fields = Vec::new();
        while let Some(part) = parts.next_field().await? {
            let key = part.name().map(str::to_owned);
            let value = texts.read(&part.bytes().await?);
            if let Some(key) = key {
                fields.push(RawField { key: texts.clean(key).into(), value: Some(value) });
            }
        }
        Ok(fields)
    };
    // The body is all there, so nothing ever waits.
    read_all.now_or_never().unwrap_or(Err(multer::Error::IncompleteStream))
}

/// What is wrong with a body, without the text that stands there.
pub(super) fn fault(error: &multer::Error) -> &'static str {
    match error {
        multer::Error::NoMultipart | multer::Error::NoBoundary => "its content type names no boundary",
        multer::Error::DecodeContentType(_) => "its content type cannot be read",
        multer::Error::IncompleteStream
        | multer::Error::IncompleteHeaders
        | multer::Error::IncompleteFieldData { .. } => "it ends too early",
        _ => "a part of it cannot be read",
    }
}
