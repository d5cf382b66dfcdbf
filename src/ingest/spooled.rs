//! Converts a request to the form in which the spool keeps it, and back.

use super::reader::Arrival;
use crate::{
    domain::{AccountName, DeliveryReceipt, Source, Time},
    exotel::RawRequest,
    storage::SpooledRequest,
};

/// How a request came, as far as the spool keeps it.
#[derive(Clone, Copy)]
pub(super) struct SpooledArrival<'a> {
    pub account: &'a AccountName,
    pub source: Source,
    pub received_at: Time,
    pub signed_for: Option<&'a str>,
}

impl<'a> SpooledArrival<'a> {
    pub fn of(receipt: &'a DeliveryReceipt) -> Self {
        let DeliveryReceipt { account, source, received_at, signed_for, .. } = receipt;
        Self { account, source: *source, received_at: *received_at, signed_for: signed_for.as_deref() }
    }
}

impl<'a> From<Arrival<'a>> for SpooledArrival<'a> {
    fn from(Arrival { account, source, received_at, signed_for }: Arrival<'a>) -> Self {
        Self { account: &account.name, source, received_at, signed_for }
    }
}

/// A request as the spool keeps it, without the token or the signature of its URL.
pub(super) fn spooled(raw: RawRequest, arrival: SpooledArrival<'_>) -> SpooledRequest {
    let query = raw.query_without_secrets().into_owned();
    let (method, content_type, content_encoding, body) = match raw {
        RawRequest::Post { content_type, content_encoding, body, .. } => {
            ("POST", content_type, content_encoding, body.to_vec())
        }
        RawRequest::Get { .. } => ("GET", None, None, Vec::new()),
    };
    let SpooledArrival { account, source, received_at, signed_for } = arrival;
    let (account, method) = (account.as_str().to_owned(), method.to_owned());
    let (signed_for, source) = (signed_for.map(str::to_owned), <&str>::from(source).to_owned());
    SpooledRequest {
        id: 0,
        received_at,
        account,
        method,
        content_type,
        content_encoding,
        query,
        body,
        signed_for,
        source,
    }
}

/// The request that was spooled.
pub(super) fn unspooled(spooled: &SpooledRequest) -> RawRequest {
    let SpooledRequest { content_type, content_encoding, query, body, .. } = spooled.clone();
    match spooled.method.as_str() {
        "GET" => RawRequest::Get { query },
        _ => RawRequest::Post { content_type, content_encoding, query, body: body.into() },
    }
}
