//! Recognises Exotel's other events, which may reach the same URL but are not status callbacks of an SMS.

use crate::domain::{Field, RawField};

/// What `fields` look like, for people; none where nothing is recognised.
pub(super) fn resembles(fields: &[RawField]) -> Option<&'static str> {
    let has = |name: &str| fields.iter().any(|field| same_key(&field.key, name));
    let code = fields.iter().find(|field| Field::from_key(&field.key) == Some(Field::ExoStatusCode));
    let code: Option<i64> = code.and_then(|field| field.value.as_deref()?.trim().parse().ok());
    match code {
        _ if has("callsid") => Some("a voice callback"),
        _ if has("tracking") || has("longurl") || has("shorturl") => Some("a click-tracking callback"),
        _ if has("campaignsid") && has("stats") => Some("a campaign summary"),
        _ if has("rcs") => Some("an RCS callback"),
        Some(30_001..50_000) => Some("an RCS or WhatsApp callback"),
        _ if has("smssid") && has("body") && !has("status") => Some("an inbound SMS"),
        _ => None,
    }
}

fn same_key(key: &str, letters: &str) -> bool {
    let folded = key.bytes().filter(|&b| b != b'_').map(|b| b.to_ascii_lowercase());
    folded.eq(letters.bytes())
}
