//! Which values of `Content-Encoding` mean that the body is not encoded.
//!
//! Some senders put their charset there, or an encoding of mail. Values that compress or are unknown are refused: the bytes of
//! such a body would be read as something that they are not.

use encoding_rs::Encoding;

use super::charset;

/// Words that mean no encoding. Source: RFC 9110 and RFC 2045; `none` and `null` were seen in the wild.
const UNCHANGED: [&str; 7] = ["", "identity", "none", "null", "7bit", "8bit", "binary"];
/// Media types that some senders put there by mistake.
const MEDIA_TYPES: [&str; 4] =
    ["application/x-www-form-urlencoded", "application/json", "multipart/form-data", "text/plain"];

/// Whether the header means that the body is not encoded.
pub(super) fn is_unchanged(header: &str) -> bool {
    words(header).all(|word| {
        let is = |known: &&str| word.eq_ignore_ascii_case(known);
        UNCHANGED.iter().chain(&MEDIA_TYPES).any(is) || charset::of_label(word).is_some()
    })
}

/// The charset that a header names.
pub(super) fn named_charset(header: &str) -> Option<&'static Encoding> {
    words(header).find_map(charset::of_label)
}

/// The words of the header, without quotes, `charset=` and parameters.
fn words(header: &str) -> impl Iterator<Item = &str> {
    header.split(',').map(|word| {
        let word = word.split(';').next().unwrap_or_default().trim().trim_matches(['"', '\'']);
        match word.split_once('=') {
            Some((name, label)) if name.trim().eq_ignore_ascii_case("charset") => label.trim(),
            _ => word,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_names_no_compression_is_none() {
        for header in [
            "",
            " ",
            "identity",
            "Identity",
            "identity, identity",
            ",identity,",
            "none",
            "null",
            "7bit",
            "8BIT",
            "binary",
            "UTF-8",
            "utf8",
            "\"utf-8\"",
            "charset=UTF-8",
            "iso-8859-1",
            "identity, utf-8",
            "ascii",
            "application/json",
            "application/x-www-form-urlencoded; charset=utf-8",
            "text/plain",
        ] {
            assert!(is_unchanged(header), "{header:?}");
        }
        for header in [
            "gzip",
            "x-gzip",
            "GZIP",
            "deflate",
            "compress",
            "x-compress",
            "br",
            "zstd",
            "dcb",
            "exi",
            "gzip, gzip",
            "identity, gzip",
            "utf-8, br",
            "base64",
            "quoted-printable",
            "chunked",
            "aws-chunked",
            "rot13",
            "application/gzip",
            "charset=gzip",
            "unreadable",
            "identity gzip",
        ] {
            assert!(!is_unchanged(header), "{header:?}");
        }
        assert_eq!(named_charset("identity, ISO-8859-1").map(Encoding::name), Some("windows-1252"));
        assert_eq!(named_charset("identity"), None);
    }
}
