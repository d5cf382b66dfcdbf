//! Requests that reach a callback URL but are not status callbacks: the receiver must refuse all of them.
//!
//! May import `exotel`, for the largest accepted body.

use serde_json::json;

use super::request::{CallbackRequest, FORM, JSON, MULTIPART, multipart};
use crate::exotel::RawRequest;

/// How many kinds there are.
pub(super) const KINDS: u32 = 7;

/// The request with this number; the kinds alternate.
pub(super) fn request(number: u32, query: &str) -> CallbackRequest {
    let text = |text: &str| text.as_bytes().to_vec();
    let body = match number % KINDS {
        0 => (FORM, text("To=09812345670&Status=sent&DetailedStatusCode=20005")),
        1 => (FORM, text("CallSid=5e0f7a1c&EventType=terminal&Status=completed&Direction=outbound-api")),
        2 => (FORM, text("SmsSid=9d1b3c5e7f&From=09812345670&To=08047112345&Body=YES")),
        3 => (JSON, text("{\"SmsSid\":\"9d1b3c5e7f\",\"Status\":\"sent\",\"DetailedSta")),
        4 => ("text/xml", text("<SMSMessage><Sid>9d1b3c5e7f</Sid><Status>sent</Status></SMSMessage>")),
        5 => (
            FORM,
            text(&format!("SmsSid=9d1b3c5e7f&Status=sent&CustomField={}", "x".repeat(RawRequest::MAX_BODY))),
        ),
        _ => (MULTIPART, half_a_multipart()),
    };
    CallbackRequest { query: query.to_owned(), body: Some(body) }
}

fn half_a_multipart() -> Vec<u8> {
    let mut whole = multipart(&vec![("SmsSid", json!("9d1b3c5e7f")), ("Status", json!("sent"))]).into_bytes();
    whole.truncate(whole.len() / 2);
    whole
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exotel::parse;

    #[test]
    fn the_receiver_refuses_every_kind() {
        for number in 0..KINDS {
            let garbage = request(number, "campaign_id=diwali");
            let too_large = garbage.body.as_ref().is_some_and(|(_, body)| body.len() > RawRequest::MAX_BODY);
            assert!(too_large || parse(&garbage.raw()).is_err(), "{garbage:?}");
        }
    }
}
