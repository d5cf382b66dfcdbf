//! hyper answers a head that it cannot parse by itself, with a bare status. This module replaces that answer by a
//! problem (RFC 9457), as all other errors have.

/// Where hyper's own answer begins in bytes that are to be written; none where they do not end with one. It is
/// recognised by its status, its empty body and its lack of a content type, which all our answers have.
pub(super) fn begins_at(bytes: &[u8]) -> Option<usize> {
    if !bytes.ends_with(b"\r\n\r\n") {
        return None;
    }
    let at = bytes.windows(HTTP.len()).rposition(|window| window == HTTP)?;
    let head = str::from_utf8(&bytes[at..]).ok()?.to_ascii_lowercase();
    let is_refusal = ["400", "414", "431"].contains(&status(&bytes[at..]));
    let is_bare = head.contains("\r\ncontent-length: 0\r\n") && !head.contains("\r\ncontent-type:");
    (is_refusal && is_bare).then_some(at)
}

const HTTP: &[u8] = b"HTTP/1.";

/// The same answer, with a problem (RFC 9457) as its body.
pub(super) fn told(bare: &[u8]) -> Vec<u8> {
    let (kind, title, detail) = match status(bare) {
        "431" => ("head_too_large", "Head too large", "the head of the request is larger than is taken"),
        "414" => ("head_too_large", "Head too large", "the URL is longer than is taken"),
        _ => (
            "malformed_request",
            "Malformed request",
            "this is no HTTP: in the URL, spaces, quotes and all that is not ASCII have to be percent-encoded",
        ),
    };
    let status = status(bare);
    let body = format!(
        r#"{{"type":"urn:dlr-receiver:problem:{kind}","title":"{title}","status":{status},"detail":"{detail}"}}"#
    );
    let length = body.len();
    let bare = String::from_utf8_lossy(bare);
    let mut lines = bare.lines();
    let first = lines.next().unwrap_or_default();
    let date = lines.find(|line| line.to_ascii_lowercase().starts_with("date: "));
    let date = date.map(|line| format!("{line}\r\n")).unwrap_or_default();
    format!(
        "{first}\r\n{date}content-type: application/problem+json\r\ncontent-length: {length}\r\ncache-control: no-store\r\n\
         x-content-type-options: nosniff\r\nconnection: close\r\n\r\n{body}"
    )
    .into_bytes()
}

/// The three digits after the version.
fn status(head: &[u8]) -> &str {
    head.get(9..12).and_then(|digits| str::from_utf8(digits).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const BARE: &[u8] = b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\ndate: Thu, 26 Nov 2026 09:00:00 GMT\r\n\r\n";

    #[test]
    fn a_bare_refusal_is_found_behind_other_answers_and_nothing_else_is() {
        assert_eq!(begins_at(BARE), Some(0));
        let ours = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
        assert_eq!(begins_at(&[ours, BARE].concat()), Some(ours.len()));
        for other in [
            &b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"[..],
            b"HTTP/1.1 400 Bad Request\r\ncontent-type: application/problem+json\r\ncontent-length: 0\r\n\r\n",
            b"HTTP/1.1 400 Bad Request\r\ncontent-length: 2\r\n\r\n{}",
            b"\r\n\r\n",
            b"",
        ] {
            assert_eq!(begins_at(other), None, "{}", String::from_utf8_lossy(other));
        }
    }

    #[test]
    fn it_is_told_as_a_problem() {
        let told = String::from_utf8(told(BARE)).unwrap();
        let (head, body) = told.split_once("\r\n\r\n").unwrap();
        assert!(
            head.starts_with("HTTP/1.1 400 Bad Request\r\ndate: Thu, 26 Nov 2026 09:00:00 GMT\r\n"),
            "{head}"
        );
        assert!(head.contains(&format!("content-length: {}\r\n", body.len())), "{head}");
        let problem: serde_json::Value = serde_json::from_str(body).unwrap();
        assert_eq!(
            (problem["status"].as_u64(), problem["title"].as_str()),
            (Some(400), Some("Malformed request"))
        );
    }
}
