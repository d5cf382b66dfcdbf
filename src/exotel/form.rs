//! `application/x-www-form-urlencoded`, as a body or as a query string.

use std::borrow::Cow;

use percent_encoding::percent_decode;

use super::{opening::stripped, text::Texts};
use crate::domain::{Anomalies, Anomaly, Field, Labels, RawField};

/// Query parameters of the service itself, which are neither fields nor labels.
pub const RESERVED: [&str; 3] = ["token", "exp", "sig"];
/// The parameter that signs a URL.
const SIGNATURE: &str = "sig";
/// The recipient, which a signature covers. In a URL without a signature it is an ordinary parameter.
pub const SIGNED_RECIPIENT: &str = "to";

/// Whether a query string with this key counts as signed.
pub(super) fn signs(key: &str) -> bool {
    key == SIGNATURE
}

/// Whether a key belongs to the service itself, in a query string that is `signed` or not.
pub(super) fn is_own(key: &str, signed: bool) -> bool {
    RESERVED.contains(&key) || signed && key == SIGNED_RECIPIENT
}

/// Every pair of `encoded`, in order.
pub(super) fn fields(encoded: &[u8], texts: &mut Texts) -> Vec<RawField> {
    let pairs = encoded.split(|&b| b == b'&').filter(|pair| !pair.is_empty());
    pairs.map(|pair| as_it_stands(pair).unwrap_or_else(|| decoded(pair, texts))).collect()
}

/// A pair without any encoding, like most: decoding it would take three times as long.
fn as_it_stands(pair: &[u8]) -> Option<RawField> {
    // In ISO-2022-JP an escape character switches to other characters.
    let plain = |&b: &u8| b.is_ascii() && !matches!(b, b'%' | b'+' | b'\0' | b'\x1B');
    let pair = std::str::from_utf8(pair).ok().filter(|_| pair.iter().all(plain))?;
    let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
    let name = Field::from_name(key).map(|field| field.name().into());
    let key: Cow<'static, str> = name.unwrap_or_else(|| key.to_owned().into());
    Some(RawField::new(key, Some(value.to_owned())))
}

fn decoded(pair: &[u8], texts: &mut Texts) -> RawField {
    let end = pair.iter().position(|&b| b == b'=');
    let (key, value) = end.map_or((pair, &b""[..]), |end| (&pair[..end], &pair[end + 1..]));
    texts.field(unescaped(key), Some(unescaped(value)))
}

/// The decoded bytes of a key or a value.
fn unescaped(part: &[u8]) -> Vec<u8> {
    if !part.contains(&b'+') {
        return Cow::from(percent_decode(part)).into_owned();
    }
    let spaced: Vec<u8> = part.iter().map(|&b| if b == b'+' { b' ' } else { b }).collect();
    if !spaced.contains(&b'%') {
        return spaced;
    }
    percent_decode(&spaced).collect()
}

/// The labels of a POST: its whole query string. No parameter stands in for a field of the body.
pub(super) fn labels(query: &str, texts: &mut Texts) -> (Labels, Anomalies) {
    let mut fields = fields(stripped(query.as_bytes()), texts);
    without_own(&mut fields);
    collect_labels(fields.iter())
}

/// Fields and labels of a GET. Every parameter except the service's own is a field; one that is no known field is a label as well.
pub(super) fn fields_and_labels(query: &str, texts: &mut Texts) -> (Vec<RawField>, (Labels, Anomalies)) {
    let mut fields = fields(stripped(query.as_bytes()), texts);
    without_own(&mut fields);
    let labels = collect_labels(fields.iter().filter(|field| Field::from_key(&field.key).is_none()));
    (fields, labels)
}

fn without_own(fields: &mut Vec<RawField>) {
    let signed = fields.iter().any(|field| signs(&field.key));
    fields.retain(|field| !is_own(&field.key, signed));
}

fn collect_labels<'f>(fields: impl Iterator<Item = &'f RawField>) -> (Labels, Anomalies) {
    let (mut labels, mut anomalies) = (Labels::default(), Anomalies::NONE);
    for field in fields {
        let kept = labels.insert(&field.key, field.value.as_deref().unwrap_or_default());
        anomalies.insert_if(!kept, Anomaly::BadLabel);
    }
    (labels, anomalies)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use url::form_urlencoded;

    use super::*;

    #[test]
    fn a_signed_recipient_is_neither_a_label_nor_a_field() {
        let signed = "to=%2B919812345670&exp=1&s%69g=x&token=t&campaign_id=c&To=09812345670&SmsSid=s1";
        let (fields, (labels, _)) = fields_and_labels(signed, &mut Texts::default());
        let keys: Vec<_> = fields.iter().map(|field| &*field.key).collect();
        assert_eq!(keys, ["campaign_id", "To", "SmsSid"]);
        assert_eq!((labels.get("campaign_id"), labels.get("to")), (Some("c"), None));
        let (labels, _) = super::labels(signed, &mut Texts::default());
        assert_eq!(
            (labels.get("to"), labels.get("exp"), labels.get("To")),
            (None, None, Some("09812345670"))
        );
        let (labels, _) = super::labels("to=x", &mut Texts::default());
        assert_eq!(labels.get("to"), Some("x"), "nothing is signed");
        let (fields, _) = fields_and_labels("to=x&exp=1", &mut Texts::default());
        assert_eq!(fields[0].key, "to");
    }

    proptest! {
        #[test]
        fn pairs_are_those_of_the_standard(encoded in "([a-zA-Z=&+;é]|%[0-9a-fA-F]{0,2}|%ff|%26|%3D|&SmsSid=|&To=){0,40}") {
            let standard: Vec<_> = form_urlencoded::parse(encoded.as_bytes()).into_owned().collect();
            let clean = |text: &String| text.replace('\0', "\u{FFFD}");
            let standard: Vec<_> = standard.iter().map(|(key, value)| (clean(key), clean(value))).collect();
            let ours = fields(encoded.as_bytes(), &mut Texts::default());
            let ours: Vec<_> = ours.into_iter().map(|field| (field.key.into_owned(), field.value.unwrap())).collect();
            prop_assert_eq!(ours, standard);
        }
    }
}
