//! A callback request, from its bytes to a [`StatusCallback`].

use super::{
    CallbackError,
    body::{BodyFields, PostBody},
    form,
    raw_request::RawRequest,
    text::Texts,
};
use crate::domain::{Anomalies, Anomaly, Labels, StatusCallback};

/// A status callback together with what its URL carried.
#[derive(Debug)]
pub struct ParsedCallback {
    /// What Exotel said.
    pub callback: StatusCallback,
    /// The sender's labels.
    pub labels: Labels,
    /// What was odd about them, or about the text.
    pub anomalies: Anomalies,
}

/// Reads a request.
///
/// # Errors
/// [`CallbackError`] where it is no status callback of an SMS.
pub fn parse(request: &RawRequest) -> Result<ParsedCallback, CallbackError> {
    let mut texts = Texts::default();
    let (fields, (labels, mut anomalies), replaced) = match request {
        RawRequest::Get { query } => {
            let (fields, labels) = form::fields_and_labels(query, &mut texts);
            (fields, labels, false)
        }
        RawRequest::Post { content_type, content_encoding, query, body } => {
            let content_type = content_type.as_deref().unwrap_or_default();
            let content_encoding = content_encoding.as_deref().unwrap_or_default();
            let BodyFields { fields, replaced } =
                PostBody { content_type, content_encoding, bytes: body }.read()?;
            (fields, form::labels(query, &mut texts), replaced)
        }
    };
    anomalies.insert_if(texts.replaced || replaced, Anomaly::BadText);
    let callback = StatusCallback::from_fields(fields)
        .map_err(|(reason, fields)| CallbackError::not_a_callback(reason, &fields))?;
    Ok(ParsedCallback { callback, labels, anomalies })
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::domain::Field;

    fn request(content_type: Option<&str>, query: &str, body: &[u8]) -> RawRequest {
        RawRequest::Post {
            content_type: content_type.map(Into::into),
            content_encoding: None,
            query: query.into(),
            body: body.to_vec().into(),
        }
    }

    fn post(content_type: &str, body: &[u8]) -> Result<ParsedCallback, CallbackError> {
        parse(&request(Some(content_type), "", body))
    }

    fn says(parsed: &ParsedCallback, field: Field) -> &str {
        parsed.callback.get(field).unwrap_or_default()
    }

    #[test]
    fn a_form_a_json_object_a_multipart_body_and_a_query_say_the_same() {
        let multipart = b"--b\r\ncontent-disposition: form-data; name=\"SmsSid\"\r\n\r\ns1\r\n--b\r\ncontent-disposition: form-data; name=\"Status\"\r\n\r\nsent\r\n--b--\r\n";
        for parsed in [
            parse(&request(None, "", b"SmsSid=s1&Status=sent")),
            post("application/x-www-form-urlencoded; charset=utf-8", b"sms_sid=s1&STATUS=sent"),
            post("application/json", br#"{"SmsSid":"s1","Status":"sent","SmsUnits":null}"#),
            post("application/json", br#"{"SMSMessage":{"Sid":"s1","Status":"sent"}}"#),
            post("multipart/form-data; boundary=b", multipart),
            parse(&RawRequest::Get { query: "SmsSid=s1&Status=sent".into() }),
        ] {
            let parsed = parsed.unwrap();
            assert_eq!((parsed.callback.sid().as_str(), says(&parsed, Field::Status)), ("s1", "sent"));
        }
    }

    #[test]
    fn numbers_keep_their_digits_and_halves_of_surrogate_pairs_are_replaced() {
        let parsed = post(
            "application/json",
            br#"{"SmsSid":"s1","DetailedStatusCode":20005,"CustomField":"a\ud83d","Dlt":1234567890123456789012}"#,
        );
        let parsed = parsed.unwrap();
        assert_eq!(says(&parsed, Field::DetailedStatusCode), "20005");
        assert!(says(&parsed, Field::CustomField).starts_with("a\u{FFFD}"));
        assert_eq!(parsed.callback.fields()[3].value.as_deref(), Some("1234567890123456789012"));
        assert!(parsed.anomalies.contains(Anomaly::BadText));
    }

    #[test]
    fn nul_and_invalid_utf8_are_replaced_and_flagged() {
        let parsed = post("", b"SmsSid=s1&Status=sent&CustomField=a%00b%FFc").unwrap();
        assert_eq!(says(&parsed, Field::CustomField), "a\u{FFFD}b\u{FFFD}c");
        assert!(parsed.anomalies.contains(Anomaly::BadText));
        let meant = post("", b"SmsSid=s1&Status=sent&CustomField=%EF%BF%BD").unwrap();
        assert!(!meant.anomalies.contains(Anomaly::BadText), "a valid U+FFFD is what the sender wrote");
    }

    #[test]
    fn body_and_query_keep_to_their_own() {
        let query = "Status=failed&campaign_id=diwali&token=secret";
        let parsed = parse(&request(None, query, b"SmsSid=s1&Status=sent&x=y")).unwrap();
        assert_eq!(says(&parsed, Field::Status), "sent");
        let label = |key| parsed.labels.get(key);
        assert_eq!((label("campaign_id"), label("Status")), (Some("diwali"), Some("failed")));
        assert_eq!((label("x"), label("token")), (None, None));
    }

    #[test]
    fn a_body_that_would_have_to_be_decompressed_is_refused() {
        let encoded = |encoding: &str| {
            let (content_encoding, body) =
                (Some(encoding.into()), Bytes::from_static(b"SmsSid=s1&Status=sent"));
            parse(&RawRequest::Post { content_type: None, content_encoding, query: String::new(), body })
        };
        assert!(encoded("identity").is_ok());
        assert!(matches!(encoded("gzip"), Err(CallbackError::ContentEncoding(_))));
    }

    #[test]
    fn what_is_refused_says_what_it_looks_like() {
        let refused = |body: &[u8]| match post("application/json", body).unwrap_err() {
            CallbackError::NotAStatusCallback { resembles, .. } => resembles.unwrap_or("nothing"),
            other => panic!("{other}"),
        };
        assert_eq!(refused(br#"{"CallSid":"c","Status":"busy"}"#), "a voice callback");
        assert_eq!(refused(br#"{"SmsSid":"s","Body":"YES"}"#), "an inbound SMS");
        assert_eq!(refused(br#"{"CampaignSid":"c","Status":"Completed","Stats":{}}"#), "a campaign summary");
        assert_eq!(
            refused(br#"{"sid":"m","status":"read","exo_status_code":30002}"#),
            "an RCS or WhatsApp callback"
        );
        assert_eq!(refused(br#"{"rcs":{},"sms":{}}"#), "an RCS callback");
        assert_eq!(refused(br#"{"Sms_sid":"s","Tracking":""}"#), "a click-tracking callback");
        assert_eq!(refused(b"{}"), "nothing");
    }

    #[test]
    fn a_broken_body_is_malformed_and_its_content_is_not_repeated() {
        let error = post("application/json", b"[\"+919812345670\"]").unwrap_err().to_string();
        assert_eq!(error, "the body is no valid JSON: it is not one object at line 1 column 15");
        for (content_type, body) in [
            ("application/json", &b"{"[..]),
            ("multipart/form-data", b"x"),
            ("multipart/form-data; boundary=b", b"--b"),
        ] {
            assert!(
                matches!(post(content_type, body), Err(CallbackError::Malformed { .. })),
                "{content_type}"
            );
        }
        assert!(matches!(post("text/xml", b"<a/>"), Err(CallbackError::ContentType(_))));
    }
}
