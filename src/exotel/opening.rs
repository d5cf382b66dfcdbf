//! Strips byte order marks and white space before the first key or brace of a body or query string. Libraries and proxies of
//! some senders put them there without meaning anything by it.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

/// What is stripped: UTF-8's byte order mark, the same mark encoded twice, and white space; raw or percent-encoded.
const PASSED_OVER: [&[u8]; 13] = [
    b" ",
    b"\t",
    b"\r",
    b"\n",
    b"+",
    b"%20",
    b"%09",
    b"%0D",
    b"%0A",
    BYTE_ORDER_MARK,
    ENCODED_MARK,
    b"\xC3\xAF\xC2\xBB\xC2\xBF",
    b"%C3%AF%C2%BB%C2%BF",
];
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";
const ENCODED_MARK: &[u8] = b"%EF%BB%BF";

/// A body from its first key or brace on, in a charset whose ASCII characters are ASCII bytes.
pub(super) struct Opened<'b> {
    pub body: Cow<'b, [u8]>,
    pub charset: &'static Encoding,
}

/// Strips a body and finds its charset. A byte order mark is believed before the `declared` one.
pub(super) fn open<'b>(body: &'b [u8], declared: &'static Encoding) -> Opened<'b> {
    let is_wide = |charset: &'static Encoding| charset == UTF_16LE || charset == UTF_16BE;
    if begins_at_once(body) && !is_wide(declared) {
        return Opened { body: body.into(), charset: declared };
    }
    let marked = Encoding::for_bom(body).map(|(charset, _)| charset);
    if let Some(charset) = marked.or_else(|| wide(body, declared)).filter(|charset| is_wide(charset)) {
        let (text, _) = charset.decode_with_bom_removal(body);
        return Opened { body: stripped(text.as_bytes()).to_vec().into(), charset: UTF_8 };
    }
    let rest = stripped(body);
    let before = &body[..body.len() - rest.len()];
    let is_marked = [BYTE_ORDER_MARK, ENCODED_MARK].iter().any(|mark| holds(before, mark));
    // It is declared as UTF-16 but its bytes are not: a form, and the signs of JSON, would have a zero in every other byte.
    let charset = if is_marked || is_wide(declared) { UTF_8 } else { declared };
    Opened { body: rest.into(), charset }
}

/// A text from its first key or brace on.
pub(super) fn stripped(mut text: &[u8]) -> &[u8] {
    while !begins_at_once(text) {
        let Some(mark) = PASSED_OVER.iter().find(|mark| begins_with(text, mark)) else { break };
        text = &text[mark.len()..];
    }
    text
}

/// A JSON body as UTF-8, from its first character on.
#[must_use]
pub fn json_text(body: &[u8]) -> Cow<'_, [u8]> {
    open(body, UTF_8).body
}

/// Whether there is nothing to strip, which is so nearly always and is checked first.
fn begins_at_once(text: &[u8]) -> bool {
    text.first().is_some_and(|first| first.is_ascii_graphic() && !matches!(first, b'%' | b'+'))
}

/// Whether a text begins with `mark`, whose hexadecimal digits may be of either case.
fn begins_with(text: &[u8], mark: &[u8]) -> bool {
    text.get(..mark.len()).is_some_and(|start| start.eq_ignore_ascii_case(mark))
}

fn holds(text: &[u8], mark: &[u8]) -> bool {
    text.windows(mark.len()).any(|part| part.eq_ignore_ascii_case(mark))
}

/// The byte order of a body that is declared as UTF-16, by the position of the zero in its first character.
fn wide(body: &[u8], declared: &'static Encoding) -> Option<&'static Encoding> {
    if declared != UTF_16LE && declared != UTF_16BE {
        return None;
    }
    match body {
        [0, other, ..] if *other != 0 => Some(UTF_16BE),
        [other, 0, ..] if *other != 0 => Some(UTF_16LE),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use encoding_rs::WINDOWS_1252;

    use super::*;

    #[test]
    fn marks_and_white_space_before_the_first_sign_are_passed_over() {
        for before in [
            &b""[..],
            b"\xEF\xBB\xBF",
            b"%EF%BB%BF",
            b"%ef%bb%bf",
            b" \r\n\t",
            b"\xEF\xBB\xBF\xEF\xBB\xBF \n",
            b"\n\xEF\xBB\xBF",
            b"%20+%0d%0A%09%EF%BB%BF",
            b"\xC3\xAF\xC2\xBB\xC2\xBF",
            b"%C3%AF%C2%BB%C2%BF",
        ] {
            for rest in [&b"SmsSid=s1"[..], b"{}", b"[", b"", b"%53ms=+", b"\xE9"] {
                assert_eq!(stripped(&[before, rest].concat()), rest, "{before:?} {rest:?}");
            }
        }
    }

    #[test]
    fn a_byte_order_mark_goes_before_what_is_declared() {
        let le: Vec<u8> = "\u{FEFF} {\"é\"}".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let be: Vec<u8> = "\u{FEFF}{\"é\"}".encode_utf16().flat_map(u16::to_be_bytes).collect();
        for (body, declared, charset) in [
            (&le[..], UTF_8, UTF_8),
            (&be, WINDOWS_1252, UTF_8),
            (&be[2..], UTF_16LE, UTF_8),
            (&le[4..], UTF_16BE, UTF_8),
            ("\u{FEFF}{\"é\"}".as_bytes(), WINDOWS_1252, UTF_8),
            ("{\"é\"}".as_bytes(), UTF_16LE, UTF_8),
            (b"{\"\xE9\"}", WINDOWS_1252, WINDOWS_1252),
            (b" {\"\xE9\"}", WINDOWS_1252, WINDOWS_1252),
        ] {
            let opened = open(body, declared);
            assert_eq!(opened.charset, charset, "{body:?}");
            assert_eq!(charset.decode_without_bom_handling(&opened.body).0, "{\"é\"}", "{body:?}");
        }
    }
}
