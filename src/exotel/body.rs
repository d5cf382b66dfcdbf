//! Reads the fields of a POST's body by its content type and charset and, where these leave it open, by its first character.

use encoding_rs::{Encoding, UTF_8};

use super::{
    CallbackError, charset, content_encoding, form,
    json::{self, JsonFault},
    multipart,
    opening::open,
    text::Texts,
};
use crate::domain::{Field, RawField};

/// A body with the headers that describe it.
pub(super) struct PostBody<'r> {
    pub content_type: &'r str,
    pub content_encoding: &'r str,
    pub bytes: &'r [u8],
}

/// A body's fields.
pub(super) struct BodyFields {
    pub fields: Vec<RawField>,
    /// Whether bytes were replaced, or control characters in JSON strings were escaped.
    pub replaced: bool,
}

#[derive(Clone, Copy)]
enum Media {
    Form,
    Json,
    Multipart,
}

impl PostBody<'_> {
    /// Reads the fields in the charset that the headers declare, else the one that the body declares (`_charset_`), else in UTF-8.
    pub fn read(&self) -> Result<BodyFields, CallbackError> {
        if !content_encoding::is_unchanged(self.content_encoding) {
            return Err(CallbackError::content_encoding(self.content_encoding));
        }
        let media = self.media()?;
        let named = || content_encoding::named_charset(self.content_encoding);
        let declared = charset::declared(self.content_type).or_else(named);
        let body = self.read_in(declared.unwrap_or(UTF_8), media)?;
        // What all was text for says nothing else in another charset.
        match named_within(&body.fields).filter(|_| body.replaced && declared.is_none()) {
            Some(charset) => self.read_in(charset, media),
            None => Ok(body),
        }
    }

    fn media(&self) -> Result<Media, CallbackError> {
        let essence = self.content_type.split(';').next().unwrap_or_default().trim();
        let is = |known: &str| essence.eq_ignore_ascii_case(known);
        match () {
            () if essence.is_empty() || is("application/x-www-form-urlencoded") => Ok(Media::Form),
            () if is("application/json") || is("text/json") => Ok(Media::Json),
            () if is("multipart/form-data") => Ok(Media::Multipart),
            () => Err(CallbackError::content_type(essence)),
        }
    }

    fn read_in(&self, charset: &'static Encoding, media: Media) -> Result<BodyFields, CallbackError> {
        if let Media::Multipart = media {
            let mut texts = Texts::of(charset);
            let boundary = multer::parse_boundary(self.content_type);
            let fields = boundary.and_then(|boundary| multipart::fields(self.bytes, &boundary, &mut texts));
            let fields = fields.map_err(|error| CallbackError::Malformed {
                encoding: "multipart/form-data",
                why: multipart::fault(&error).to_owned(),
            })?;
            return Ok(BodyFields { fields, replaced: texts.replaced });
        }
        let opened = open(self.bytes, charset);
        let may_be_json = matches!(opened.body.first(), Some(b'{' | b'['));
        let read_json = || {
            let mut texts = Texts::of(opened.charset);
            let fields = json::fields(&opened.body, &mut texts)?;
            Ok(BodyFields { fields, replaced: texts.replaced })
        };
        let read_form = || {
            let mut texts = Texts::of(opened.charset);
            let fields = form::fields(&opened.body, &mut texts);
            BodyFields { fields, replaced: texts.replaced }
        };
        match media {
            Media::Form if !may_be_json => Ok(read_form()),
            Media::Form => read_json().or_else(|fault| {
                // It may still be a form whose first key begins with a brace, if it has a field of a callback.
                let form = read_form();
                let is_form = form.fields.iter().any(|field| Field::from_key(&field.key).is_some());
                if is_form { Ok(form) } else { Err(CallbackError::from(fault)) }
            }),
            Media::Json | Media::Multipart => read_json().map_err(|fault: JsonFault| fault.into()),
        }
    }
}

/// The charset that a form names in a field of its own. Source: HTML's `_charset_`.
fn named_within(fields: &[RawField]) -> Option<&'static Encoding> {
    let field = fields.iter().find(|field| field.key == "_charset_")?;
    charset::of_label(field.text()?)
}
