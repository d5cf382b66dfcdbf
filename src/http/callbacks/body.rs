//! The raw request: its body, up to the limit, and the headers that say how to read it.

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, HeaderName, Method, header, request::Parts},
};
use http_body_util::{BodyExt, LengthLimitError, Limited};

use crate::{
    exotel::RawRequest,
    http::{Problem, ProblemKind},
};

/// Reads a request. The body of a GET is not read.
pub(super) async fn read_request(head: &Parts, body: Body) -> Result<RawRequest, Problem> {
    let query = head.uri.query().unwrap_or_default().to_owned();
    if head.method == Method::GET {
        return Ok(RawRequest::Get { query });
    }
    let body = read_body(&head.headers, body).await?;
    let content_type = text(&head.headers, header::CONTENT_TYPE);
    let content_encoding = texts(&head.headers, header::CONTENT_ENCODING);
    Ok(RawRequest::Post { content_type, content_encoding, query, body })
}

async fn read_body(headers: &HeaderMap, body: Body) -> Result<Bytes, Problem> {
    let too_large = || {
        Problem::new(
            ProblemKind::BodyTooLarge,
            format!("the body is larger than {} bytes", RawRequest::MAX_BODY),
        )
        .with("max_bytes", RawRequest::MAX_BODY)
    };
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    if announced.is_some_and(|length: u64| length > RawRequest::MAX_BODY as u64) {
        return Err(too_large());
    }
    match Limited::new(body, RawRequest::MAX_BODY).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(too_large()),
        Err(error) => Err(Problem::broken_off(&*error)),
    }
}

/// A header as text. One that is no text becomes a word that names no known type, so that it is refused.
fn text(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    Some(headers.get(name)?.to_str().unwrap_or("unreadable").to_owned())
}

/// All headers of a name as one text, joined by commas as RFC 9110 says.
fn texts(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    let mut each = headers.get_all(name).iter().map(|value| value.to_str().unwrap_or("unreadable"));
    let first = each.next()?.to_owned();
    Some(each.fold(first, |joined, value| joined + ", " + value))
}
