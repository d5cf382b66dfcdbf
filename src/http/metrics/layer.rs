//! The layer that counts every request and its answer.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
    time::Instant,
};

use axum::{
    extract::{MatchedPath, Request},
    http::Response,
};
use pin_project_lite::pin_project;
use tower::{Layer, Service};

use super::{Routes, route::CountedRequest};
use crate::http::trace::UNMATCHED;

/// Counts what the services within answer.
#[derive(Clone, Debug)]
pub(in crate::http) struct Measure(pub Routes);

impl<S> Layer<S> for Measure {
    type Service = Measured<S>;

    fn layer(&self, service: S) -> Measured<S> {
        Measured { service, routes: self.0.clone() }
    }
}

/// A service whose answers are counted.
#[derive(Clone, Debug)]
pub(in crate::http) struct Measured<S> {
    service: S,
    routes: Routes,
}

impl<S, B> Service<Request> for Measured<S>
where
    S: Service<Request, Response = Response<B>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Measuring<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.service.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let template = request.extensions().get::<MatchedPath>().map_or(UNMATCHED, MatchedPath::as_str);
        let asked = self.routes.asked(template, request.method());
        let (routes, begun) = (self.routes.clone(), Instant::now());
        Measuring { answer: self.service.call(request), routes, asked, begun }
    }
}

pin_project! {
    /// An answer on its way.
    pub(in crate::http) struct Measuring<F> {
        #[pin]
        answer: F,
        routes: Routes,
        asked: CountedRequest,
        begun: Instant,
    }
}

impl<F, B, E> Future for Measuring<F>
where
    F: Future<Output = Result<Response<B>, E>>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let measuring = self.project();
        let answer = ready!(measuring.answer.poll(context));
        if let Ok(answer) = &answer {
            let seconds = measuring.begun.elapsed().as_secs_f64();
            measuring.routes.answered(*measuring.asked, answer, seconds);
        }
        Poll::Ready(answer)
    }
}
