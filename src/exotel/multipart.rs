//! `multipart/form-data`, the default of Exotel's voice callbacks.

use std::convert::Infallible;

use futures_util::{FutureExt, stream};
use multer::{Field, Multipart};

use super::{charset, opening::stripped, text::Texts};
use crate::domain::RawField;

/// A body's fields. Parts without a name are skipped. A part may declare a charset of its own.
pub(super) fn fields(body: &[u8], boundary: &str, texts: &mut Texts) -> Result<Vec<RawField>, multer::Error> {
    let whole = stream::iter([Ok::<_, Infallible>(body.to_vec())]);
    let (mut parts, declared) = (Multipart::new(whole, boundary), texts.charset);
    let read_all = async {
        let mut fields = Vec::new();
        while let Some(part) = parts.next_field().await? {
            let key = part.name().map(|name| stripped_name(name).to_vec());
            texts.charset = own_charset(&part).unwrap_or(declared);
            let value = part.bytes().await?.to_vec();
            fields.extend(key.map(|key| texts.field(key, Some(value))));
        }
        Ok(fields)
    };
    // The body is complete, so the future is never pending.
    read_all.now_or_never().unwrap_or(Err(multer::Error::IncompleteStream))
}

/// A name without a byte order mark before it.
fn stripped_name(name: &str) -> &[u8] {
    if name.starts_with('\u{FEFF}') { stripped(name.as_bytes()) } else { name.as_bytes() }
}

fn own_charset(part: &Field<'_>) -> Option<&'static encoding_rs::Encoding> {
    charset::declared(part.headers().get("content-type")?.to_str().ok()?)
}

/// The fault of a body, without any of its text, which may be personal data.
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
