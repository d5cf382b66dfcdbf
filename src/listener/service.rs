//! Adapts axum's service to hyper, and reports when requests begin and end to the connection's timeouts.

use std::{
    convert::Infallible,
    future::Future,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use axum::{
    body::Body,
    extract::ConnectInfo,
    http::{HeaderValue, Request, Response, Version, header},
};
use hyper::body::Incoming;
use pin_project_lite::pin_project;
use tower::util::{Oneshot, ServiceExt};

use super::{
    activity::{Activity, Handled},
    answer_body::AnswerBody,
    request_body::RequestBody,
};

/// What a listener serves: an axum service that never fails.
pub trait Service:
    tower::Service<Request<Body>, Response = Response<Body>, Error = Infallible, Future: Send>
    + Clone
    + Send
    + Sync
    + 'static
{
}

impl<S> Service for S where
    S: tower::Service<Request<Body>, Response = Response<Body>, Error = Infallible, Future: Send>
        + Clone
        + Send
        + Sync
        + 'static
{
}

/// The service for one connection.
pub(super) struct ConnectionService<S> {
    pub service: S,
    pub peer: SocketAddr,
    pub activity: Arc<Activity>,
}

impl<S: Service> hyper::service::Service<Request<Incoming>> for ConnectionService<S> {
    type Response = Response<AnswerBody>;
    type Error = Infallible;
    type Future = Answering<S>;

    fn call(&self, request: Request<Incoming>) -> Answering<S> {
        let is_http_2 = request.version() == Version::HTTP_2;
        let handled = self.activity.begin(is_http_2);
        // HTTP/2 can reset a stream alone, and a client with `Expect: 100-continue` does not send the rest unasked.
        let lingers = !is_http_2 && !request.headers().contains_key(header::EXPECT);
        let body = |incoming| Body::new(RequestBody::new(incoming, lingers, Arc::clone(&self.activity)));
        let mut request = request.map(body);
        request.extensions_mut().insert(ConnectInfo(self.peer));
        Answering { future: self.service.clone().oneshot(request), handled: Some(handled) }
    }
}

pin_project! {
    /// The future of an answer.
    pub(super) struct Answering<S: tower::Service<Request<Body>>> {
        #[pin]
        future: Oneshot<S, Request<Body>>,
        handled: Option<Handled>,
    }
}

impl<S: Service> Future for Answering<S> {
    type Output = Result<Response<AnswerBody>, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let mut response = match ready!(this.future.poll(cx)) {
            Ok(response) => response,
            Err(never) => match never {},
        };
        let handled = this.handled.take().expect("it is not polled again");
        let activity = Arc::clone(handled.activity());
        if activity.is_given_up() {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        Poll::Ready(Ok(response.map(|body| AnswerBody::new(body, activity))))
    }
}
