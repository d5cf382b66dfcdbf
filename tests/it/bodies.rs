//! Bodies as the world sends them: marks before the first key, charsets, encodings that are none, JSON where a form is
//! expected, and tokens with spaces.

use serde_json::{Value, json};

use crate::support::{Answer, TestApp, each_backend};

const PATH: &str = "/callbacks/exotel/default";

async fn post(app: &TestApp, headers: &[(&str, &str)], body: &[u8]) -> Answer {
    let request = headers
        .iter()
        .fold(app.request("POST", PATH), |request, (name, value)| request.header(*name, *value));
    Answer::of(request.body(body.to_vec()).send().await.unwrap()).await
}

/// What the one receipt of a message holds.
async fn receipt(app: &TestApp, sid: &str) -> Value {
    app.ask(&format!("/messages/{sid}/callbacks")).await.json["items"][0].clone()
}

/// A header and its value.
type Header = (&'static str, &'static str);

const FORM: Header = ("content-type", "application/x-www-form-urlencoded");
const JSON: Header = ("content-type", "application/json");

each_backend! {
    async fn what_stands_before_the_first_key_or_brace_is_passed_over(app) {
        let marks: [&[u8]; 5] = [b"\xEF\xBB\xBF", b"%EF%BB%BF", b" \r\n\t", b"\n\xEF\xBB\xBF ", b"%20%ef%bb%bf"];
        for (n, mark) in marks.iter().enumerate() {
            let body = [mark, format!("SmsSid=f{n}&Status=sent").as_bytes()].concat();
            assert_eq!(post(&app, &[FORM], &body).await.status, 200, "{mark:?}");
            assert_eq!(app.message(&format!("f{n}")).await["anomalies"], json!([]));
        }
        let marks: [&[u8]; 3] = [b"\xEF\xBB\xBF", b" \r\n\t", b"\n\xEF\xBB\xBF "];
        for (n, mark) in marks.iter().enumerate() {
            let body = [mark, format!("{{\"SmsSid\":\"j{n}\",\"Status\":\"sent\"}}").as_bytes()].concat();
            assert_eq!(post(&app, &[JSON], &body).await.status, 200, "{mark:?}");
            for (path, json) in [("/messages/lookup", "{\"sids\":[\"j0\"]}"), ("/recipients/erase", "{\"recipient\":\"+919812345679\"}")] {
                let body = [mark, json.as_bytes()].concat();
                let answer = app.request("POST", path).body(body).send().await.unwrap();
                assert_eq!(answer.status(), 200, "{path} {mark:?}");
            }
        }
        let wide: Vec<u8> = "\u{FEFF}{\"SmsSid\":\"wide\",\"Status\":\"sent\"}".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(post(&app, &[JSON], &wide).await.status, 200);
        assert_eq!(app.message("wide").await["outcome"], "delivered");
    }

    async fn an_encoding_that_compresses_nothing_is_taken(app) {
        for (n, encoding) in ["", "identity", "identity, identity", "UTF-8", "none", "7bit", "8bit", "binary"].iter().enumerate() {
            let body = format!("SmsSid=e{n}&Status=sent");
            assert_eq!(post(&app, &[FORM, ("content-encoding", encoding)], body.as_bytes()).await.status, 200, "{encoding}");
        }
        for encoding in ["gzip", "x-gzip", "deflate", "br", "zstd", "compress", "base64", "identity, gzip", "rot13"] {
            let answer = post(&app, &[FORM, ("content-encoding", encoding)], b"SmsSid=e&Status=sent").await;
            assert_eq!((answer.status, answer.problem()), (415, "unsupported_media_type"), "{encoding}");
        }
        let twice = [FORM, ("content-encoding", "identity"), ("content-encoding", "gzip")];
        assert_eq!(post(&app, &twice, b"SmsSid=e&Status=sent").await.status, 415, "the second header counts as well");
    }

    async fn a_declared_charset_is_believed(app) {
        let latin = "application/x-www-form-urlencoded; charset=ISO-8859-1";
        let cases: [(&str, &str, &[u8]); 7] = [
            ("c0", latin, b"SmsSid=c0&Status=sent&CustomField=Caf%E9"),
            ("c1", latin, b"SmsSid=c1&Status=sent&CustomField=Caf\xE9"),
            ("c2", "application/json; charset=latin1", b"{\"SmsSid\":\"c2\",\"Status\":\"sent\",\"CustomField\":\"Caf\xE9\"}"),
            ("c3", "multipart/form-data; boundary=b; charset=windows-1252",
                b"--b\r\ncontent-disposition: form-data; name=\"SmsSid\"\r\n\r\nc3\r\n--b\r\ncontent-disposition: form-data; name=\"Status\"\r\n\r\nsent\r\n--b\r\ncontent-disposition: form-data; name=\"CustomField\"\r\n\r\nCaf\xE9\r\n--b--\r\n"),
            ("c4", "multipart/form-data; boundary=b",
                b"--b\r\ncontent-disposition: form-data; name=\"SmsSid\"\r\n\r\nc4\r\n--b\r\ncontent-disposition: form-data; name=\"Status\"\r\n\r\nsent\r\n--b\r\ncontent-disposition: form-data; name=\"CustomField\"\r\ncontent-type: text/plain; charset=iso-8859-1\r\n\r\nCaf\xE9\r\n--b--\r\n"),
            ("c5", FORM.1, b"SmsSid=c5&_charset_=iso-8859-1&Status=sent&CustomField=Caf%E9"),
            ("c6", FORM.1, b"SmsSid=c6&Status=sent&CustomField=Caf%C3%A9"),
        ];
        for (sid, content_type, body) in cases {
            assert_eq!(post(&app, &[("content-type", content_type)], body).await.status, 200, "{sid}");
            let message = app.message(sid).await;
            assert_eq!((&message["custom_field"], &message["anomalies"]), (&json!("Café"), &json!([])), "{sid}");
            assert_eq!(receipt(&app, sid).await.get("original_bytes"), None, "{sid}");
        }
    }

    async fn bytes_that_are_replaced_can_be_read_in_the_receipt(app) {
        let cases: [(&str, Header, &[u8], &str); 4] = [
            ("b0", FORM, b"SmsSid=b0&Status=sent&CustomField=Caf%E9", "Caf%E9"),
            ("b1", FORM, b"SmsSid=b1&Status=sent&CustomField=a%00b", "a%00b"),
            ("b2", JSON, b"{\"SmsSid\":\"b2\",\"Status\":\"sent\",\"CustomField\":\"Caf\xE9\"}", "Caf%E9"),
            ("b3", JSON, b"{\"SmsSid\":\"b3\",\"Status\":\"sent\",\"CustomField\":\"a\\u0000\"}", "a%00"),
        ];
        for (sid, content_type, body, bytes) in cases {
            assert_eq!(post(&app, &[content_type], body).await.status, 200, "{sid}");
            let receipt = receipt(&app, sid).await;
            assert_eq!(receipt["original_bytes"], json!([{"key": "CustomField", "value": bytes}]), "{sid}");
            let text = receipt["fields"]["CustomField"].as_str().unwrap();
            assert!(text.contains('\u{FFFD}'), "{sid}: {text}");
            assert_eq!(app.message(sid).await["anomalies"], json!(["bad_text"]), "{sid}");
        }
    }

    async fn the_bytes_of_an_erased_recipient_go_as_well(app) {
        let to = "To=%2B91981234567%E9&SmsSid=o1&Status=sent&CustomField=Caf%E9";
        assert_eq!(post(&app, &[FORM], to.as_bytes()).await.status, 200);
        let told = "SmsSid=o2&Status=sent&To=09812345670&CustomField=09812345670%E9";
        assert_eq!(post(&app, &[FORM], told.as_bytes()).await.status, 200);
        let whole = "+919812345670";
        for recipient in ["+91981234567\u{FFFD}", whole] {
            let asked = app.request("POST", "/recipients/erase").json(&json!({"recipient": recipient}));
            let answer = Answer::of(asked.send().await.unwrap()).await;
            assert_eq!((&answer.json["messages"], &answer.json["complete"]), (&json!(1), &json!(true)), "{recipient}");
        }
        for sid in ["o1", "o2"] {
            let receipt = receipt(&app, sid).await;
            let text = receipt.to_string();
            assert_eq!(receipt.get("original_bytes"), None, "{text}");
            assert!(!text.contains("981234567") && !text.contains("Caf"), "{text}");
        }
    }

    async fn json_is_known_by_its_brace(app) {
        let object = |sid: &str| format!("{{\"SmsSid\":\"{sid}\",\"Status\":\"sent\"}}");
        for (sid, headers) in [("o0", &[FORM][..]), ("o1", &[]), ("o2", &[JSON])] {
            assert_eq!(post(&app, headers, object(sid).as_bytes()).await.status, 200, "{sid}");
            let listed = format!("l{sid}");
            assert_eq!(post(&app, headers, format!(" [{}]", object(&listed)).as_bytes()).await.status, 200, "{listed}");
            let two = post(&app, headers, format!("[{0},{0}]", object("two")).as_bytes()).await;
            assert_eq!((two.status, two.problem()), (422, "malformed_body"));
            assert_eq!(two.json["detail"], "the body is a list of 2: one callback per request");
            assert_eq!(app.message(&listed).await["outcome"], "delivered");
        }
    }

    async fn raw_line_breaks_within_json_strings_are_taken_and_flagged(app) {
        let body = b"{\"SmsSid\":\"raw\",\"Status\":\"sent\",\"CustomField\":\"one\ntwo\tthree\"}";
        assert_eq!(post(&app, &[JSON], body).await.status, 200);
        let message = app.message("raw").await;
        assert_eq!((&message["custom_field"], &message["anomalies"]), (&json!("one\ntwo\tthree"), &json!(["bad_text"])));
    }
}
