//! `application/x-www-form-urlencoded`, as a body or as a query string.

use percent_encoding::percent_decode;
use url::form_urlencoded;

use super::text::Texts;
use crate::domain::{Anomalies, Anomaly, Field, Labels, RawField};

/// Query parameters that are the service's own: they are neither fields nor labels.
pub const RESERVED: [&str; 3] = ["token", "exp", "sig"];

/// Every pair of `encoded`, in order.
pub(super) fn pairs(encoded: &[u8], texts: &mut Texts) -> Vec<(String, String)> {
    let pairs: Vec<(String, String)> =
        form_urlencoded::parse(encoded).map(|(key, value)| (key.into_owned(), value.into_owned())).collect();
    let suspicious = |text: &str| !text.is_ascii() && text.contains('\u{FFFD}');
    if pairs.iter().any(|(key, value)| suspicious(key) || suspicious(value)) {
        // The decoder replaces invalid UTF-8 without a word; the sender may also have meant U+FFFD.
        let bytes: Vec<u8> = percent_decode(encoded).collect();
        texts.replaced |= std::str::from_utf8(&bytes).is_err();
    }
    pairs.into_iter().map(|(key, value)| (texts.clean(key), texts.clean(value))).collect()
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
