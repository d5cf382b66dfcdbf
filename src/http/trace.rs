//! One log line per request: method, route template, status, duration, outcome. No path, query
//! string, body, token or phone number reaches a log.

use std::time::Duration;

use axum::{
    body::Body,
    extract::MatchedPath,
    http::{Request, Response},
};
use tower_http::{
    classify::{ServerErrorsAsFailures, SharedClassifier},
    trace::{DefaultOnBodyChunk, DefaultOnEos, TraceLayer},
};
use tracing::{Span, info, info_span};

/// The outcome of a request in a word, which handlers attach to their response.
#[derive(Clone, Copy, Debug)]
pub(super) struct RequestOutcome(pub &'static str);

/// The methods that log lines distinguish; the last stands for all others, since a method may be any word.
pub(super) const METHODS: [&str; 8] = ["POST", "GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "other"];
/// The route in the log line of a request that matches none.
pub(super) const UNMATCHED: &str = "unmatched";

type RequestLine<B> = TraceLayer<
    SharedClassifier<ServerErrorsAsFailures>,
    fn(&Request<Body>) -> Span,
    (),
    fn(&Response<B>, Duration, &Span),
    DefaultOnBodyChunk,
    DefaultOnEos,
    (),
>;

/// The layer that writes the line.
pub(super) fn request_line<B>() -> RequestLine<B> {
    TraceLayer::new_for_http()
        .make_span_with(span as fn(&Request<Body>) -> Span)
        .on_request(())
        .on_response(line as fn(&Response<B>, Duration, &Span))
        .on_failure(())
}

fn span(request: &Request<Body>) -> Span {
    let route = request.extensions().get::<MatchedPath>().map_or(UNMATCHED, MatchedPath::as_str);
    let method = METHODS.into_iter().find(|known| *known == request.method().as_str()).unwrap_or("other");
    info_span!("request", method, route)
}

fn line<B>(response: &Response<B>, latency: Duration, _: &Span) {
    let status = response.status();
    let outcome = match response.extensions().get::<RequestOutcome>() {
        Some(RequestOutcome(word)) => word,
        None if status.is_success() => "answered",
        None => "refused",
    };
    let duration_ms = (latency.as_secs_f64() * 1e6).round() / 1e3;
    info!(status = status.as_u16(), duration_ms, outcome, "request finished");
}
