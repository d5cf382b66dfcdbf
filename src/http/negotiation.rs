//! Content negotiation: which of a route's media types the client prefers by `Accept` (RFC 9110), as `headers-accept` reads it.

use axum::http::{HeaderMap, header};
use headers_accept::Accept;
use mediatype::{MediaType, MediaTypeBuf, ReadParams, names::Q};

use super::{Problem, ProblemKind};

/// A media type that a route can answer with.
pub(super) struct Offer<T> {
    /// Without parameters.
    pub media_type: &'static str,
    /// The format that goes with it.
    pub format: T,
}

/// The offer that the client prefers; the first one where it has no preference.
///
/// # Errors
/// 406 with the media types that there are, where it takes none of them.
pub(super) fn preferred<T: Copy>(headers: &HeaderMap, offers: &[Offer<T>]) -> Result<T, Problem> {
    let Some(accept) = accept(headers) else { return Ok(offers[0].format) };
    let parsed = offers.iter().map(|offer| MediaType::parse(offer.media_type));
    let types: Vec<_> = parsed.collect::<Result<_, _>>().expect("what is offered are media types");
    let chosen =
        accept.negotiate(&types).and_then(|chosen| types.iter().position(|offered| offered == chosen));
    chosen.map(|at| offers[at].format).ok_or_else(|| not_acceptable(offers))
}

/// What the client accepts; none where it does not say. Elements that cannot be read are skipped.
fn accept(headers: &HeaderMap) -> Option<Accept> {
    let values = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let mut ranges: Vec<String> = values.flat_map(|value| value.split(',')).filter_map(range).collect();
    let rules_out = |range: &str| {
        let quality = range.split_once(";q=").map(|(_, quality)| quality.trim_start_matches('0'));
        quality.is_some_and(|rest| rest.trim_start_matches('.').bytes().all(|byte| byte == b'0'))
    };
    if ranges.is_empty() {
        return None;
    }
    // A client that only excludes types accepts all others.
    if ranges.iter().all(|range| rules_out(range) && !range.starts_with("*/*")) {
        ranges.push("*/*;q=0.001".to_owned());
    }
    ranges.join(",").parse().ok()
}

/// A media range with its weight and without other parameters: none of our media types comes in two kinds.
fn range(element: &str) -> Option<String> {
    let element = element.trim();
    // Java's HTTP client says `*` for everything, and `q=.2`.
    let starred = element.starts_with('*') && !element.starts_with("*/");
    let element = if starred { format!("*/{element}") } else { element.to_owned() };
    let range: MediaTypeBuf = element.parse().ok()?;
    let essence = range.essence().to_string();
    Some(match range.get_param(Q).map(|quality| quality.as_str().to_owned()) {
        None => essence,
        Some(quality) if quality.starts_with('.') => format!("{essence};q=0{quality}"),
        Some(quality) => format!("{essence};q={quality}"),
    })
}

fn not_acceptable<T>(offers: &[Offer<T>]) -> Problem {
    let available: Vec<&str> = offers.iter().map(|offer| offer.media_type).collect();
    let detail = format!("`Accept` takes none of what there is: {}", available.join(", "));
    Problem::new(ProblemKind::NotAcceptable, detail).with("available", available)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const OFFERS: [Offer<&str>; 4] = [
        Offer { media_type: "application/x-ndjson", format: "ndjson" },
        Offer { media_type: "application/json", format: "ndjson" },
        Offer { media_type: "text/csv", format: "csv" },
        Offer { media_type: "application/xml", format: "xml" },
    ];

    fn chosen(values: &[&str]) -> Option<&'static str> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::ACCEPT, value.parse().unwrap());
        }
        preferred(&headers, &OFFERS).ok()
    }

    #[test]
    fn weights_wildcards_and_case_decide() {
        for (accept, format) in [
            ("", "ndjson"),
            ("*/*", "ndjson"),
            ("text/csv", "csv"),
            ("Text/CSV", "csv"),
            ("text/*", "csv"),
            ("TEXT/*;Q=0.5, application/xml;q=0.4", "csv"),
            ("application/*", "ndjson"),
            ("text/csv;q=0.1, application/json", "ndjson"),
            ("application/json;q=0.1, text/csv", "csv"),
            ("application/json;q=0.1,text/csv;q=0.9", "csv"),
            ("text/csv, application/json", "csv"),
            ("application/json, text/csv", "ndjson"),
            ("text/csv;q=0, */*", "ndjson"),
            ("*/*;q=0.1, text/csv", "csv"),
            ("application/*;q=0, */*;q=0.1", "csv"),
            ("application/*;q=0, application/xml;q=0.5, text/csv;q=0.4", "xml"),
            ("application/x-ndjson;q=0,application/json;q=0,*/*", "csv"),
            ("text/csv; charset=utf-8", "csv"),
            ("text/csv; header=present; q=0.2, application/xml; q=0.1", "csv"),
            ("text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2", "ndjson"),
            ("text/html;q=0.9, text/csv;q=.95, */*;q=0.1", "csv"),
            ("text/csv;q=0", "ndjson"),
            ("application/x-ndjson;q=0, application/json;q=0.000", "csv"),
            ("nonsense", "ndjson"),
            (", ,", "ndjson"),
            ("nonsense, text/csv", "csv"),
            ("application/json, text/plain, */*", "ndjson"),
        ] {
            assert_eq!(chosen(&[accept]), Some(format), "{accept}");
        }
        assert_eq!(chosen(&[]), Some("ndjson"));
        assert_eq!(chosen(&["text/html", "text/csv"]), Some("csv"), "two lines are one");
    }

    #[test]
    fn what_is_not_there_is_not_acceptable() {
        for accept in
            ["image/png", "text/html;q=1, text/csv;q=0", "*/*;q=0, text/html", "text/csv;q=0, text/*"]
        {
            assert_eq!(chosen(&[accept]), None, "{accept}");
        }
    }

    proptest! {
        #[test]
        fn any_header_is_read(accept in "[a-z/*;=,.q0-9 \"]{0,40}") {
            let _ = chosen(&[&accept]);
        }

        #[test]
        fn the_heavier_one_is_preferred(csv in 1..=999_u16, xml in 1..=999_u16) {
            let accept = format!("text/csv;q=0.{csv:03}, application/xml;q=0.{xml:03}");
            prop_assert_eq!(chosen(&[&accept]), Some(if csv >= xml { "csv" } else { "xml" }));
        }
    }
}
