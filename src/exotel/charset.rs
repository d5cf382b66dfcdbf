//! Charsets, by their labels in headers.

use encoding_rs::{Encoding, UTF_8};

/// The charset that a content type declares; none where it declares none, or an unknown one.
pub(super) fn declared(content_type: &str) -> Option<&'static Encoding> {
    let mut parameters = content_type.split(';').skip(1).filter_map(|parameter| parameter.split_once('='));
    let (_, label) = parameters.find(|(name, _)| name.trim().eq_ignore_ascii_case("charset"))?;
    of_label(label)
}

/// The charset of a label, which may be quoted. Source: the WHATWG's table of labels.
pub(super) fn of_label(label: &str) -> Option<&'static Encoding> {
    // The table reads `ascii` as windows-1252. But bytes beyond ASCII contradict that label, and are more often UTF-8.
    const ASCII: [&str; 4] = ["ascii", "us-ascii", "usascii", "ansi_x3.4-1968"];
    let label = label.trim().trim_matches(['"', '\'']).trim();
    if ASCII.iter().any(|ascii| label.eq_ignore_ascii_case(ascii)) {
        return Some(UTF_8);
    }
    let undivided = || Encoding::for_label_no_replacement(label.replace(['-', '_'], "").as_bytes());
    Encoding::for_label_no_replacement(label.as_bytes()).or_else(undivided)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_content_type_names_its_charset_in_any_spelling() {
        for (content_type, name) in [
            ("text/x; charset=ISO-8859-1", "windows-1252"),
            ("text/x;Charset = \"latin1\" ; boundary=b", "windows-1252"),
            ("text/x; boundary=b; charset='Latin-1'", "windows-1252"),
            ("; charset=UTF8", "UTF-8"),
            ("; charset=utf_8", "UTF-8"),
            ("; charset=us-ascii", "UTF-8"),
            ("; charset=Shift_JIS", "Shift_JIS"),
            ("; charset=koi8-r", "KOI8-R"),
            ("; charset=utf-16", "UTF-16LE"),
        ] {
            assert_eq!(declared(content_type).map(Encoding::name), Some(name), "{content_type}");
        }
        for content_type in [
            "",
            "text/x",
            "charset=utf-8",
            "; charset",
            "; charset=",
            "; charset=klingon",
            "; charset=hz-gb-2312",
        ] {
            assert_eq!(declared(content_type), None, "{content_type}");
        }
    }
}
