//! `application/x-www-form-urlencoded`, as a body or as a query string.

use percent_encoding::percent_decode;
use url::form_urlencoded;

use super::text::Texts;
use crate::domain::{Anomalies, Anomaly, Field, Labels, RawField};

/// Query parameters that are the service's own: they are neither fields nor labels.
pub const RESERVED: [&str; 3] = ["token", "exp", "sig"];

/// Every pair of `encoded`, in order.
pub(super) fn pairs(encoded: &[u8], texts: &mut Texts) -> Vec<(String, String)> {
    let pairs = encoded.split(|&b| b == b'&').filter(|pair| !pair.is_empty());
    pairs.map(|pair| as_it_stands(pair).unwrap_or_else(|| decoded(pair, texts))).collect()
}

/// A pair in which nothing is encoded, as most are: the decoder takes three times as long.
fn as_it_stands(pair: &[u8]) -> Option<(String, String)> {
    let plain = |&b: &u8| b.is_ascii() && !matches!(b, b'%' | b'+' | b'\0');
    let pair = std::str::from_utf8(pair).ok().filter(|_| pair.iter().all(plain))?;
    let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
    Some((key.to_owned(), value.to_owned()))
}

fn decoded(pair: &[u8], texts: &mut Texts) -> (String, String) {
    let (key, value) = form_urlencoded::parse(pair).next().unwrap_or_default();
    if [&key, &value].iter().any(|text| text.contains('\u{FFFD}')) {
        // The decoder replaces invalid UTF-8 without a word; the sender may also have meant U+FFFD.
        let bytes: Vec<u8> = percent_decode(pair).collect();
        texts.replaced |= std::str::from_utf8(&bytes).is_err();
    }
    (texts.clean(key.into_owned()), texts.clean(value.into_owned()))
}

/// A body's fields.
pub(super) fn fields(body: &[u8], texts: &mut Texts) -> Vec<RawField> {
    pairs(body, texts).into_iter().map(|(key, value)| RawField { key, value: Some(value) }).collect()
}

/// The labels of a POST: its whole query string. None of it can stand in for a field of the body.
pub(super) fn labels(query: &str, texts: &mut Texts) -> (Labels, Anomalies) {
    collect_labels(&pairs(query.as_bytes(), texts))
}

/// What a GET carries: everything but the service's own parameters is a field, and what is no known
/// field is a label too.
pub(super) fn fields_and_labels(query: &str, texts: &mut Texts) -> (Vec<RawField>, (Labels, Anomalies)) {
    let mut pairs = pairs(query.as_bytes(), texts);
    pairs.retain(|(key, _)| !RESERVED.contains(&key.as_str()));
    let unknown: Vec<_> = pairs.iter().filter(|(key, _)| Field::from_key(key).is_none()).cloned().collect();
    let fields = pairs.into_iter().map(|(key, value)| RawField { key, value: Some(value) });
    (fields.collect(), collect_labels(&unknown))
}

fn collect_labels(pairs: &[(String, String)]) -> (Labels, Anomalies) {
    let (mut labels, mut anomalies) = (Labels::default(), Anomalies::NONE);
    for (key, value) in pairs.iter().filter(|(key, _)| !RESERVED.contains(&key.as_str())) {
        anomalies.insert_if(!labels.insert(key, value), Anomaly::BadLabel);
    }
    (labels, anomalies)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn pairs_are_those_of_the_standard(encoded in "([a-zA-Z=&+;é]|%[0-9a-fA-F]{0,2}|%ff|%26|%3D){0,40}") {
            let standard: Vec<_> = form_urlencoded::parse(encoded.as_bytes()).into_owned().collect();
            let clean = |text: &String| text.replace('\0', "\u{FFFD}");
            let standard: Vec<_> = standard.iter().map(|(key, value)| (clean(key), clean(value))).collect();
            prop_assert_eq!(pairs(encoded.as_bytes(), &mut Texts::default()), standard);
        }
    }
}
