//! What is counted of the requests to each route.

use std::sync::{Arc, OnceLock};

use axum::http::{Method, Response, StatusCode};
use metrics::Counter;

use super::account::AUTH_REFUSALS;
use crate::{
    http::{
        ProblemKind,
        trace::{METHODS, RequestOutcome},
    },
    telemetry::{Family, Histogram, Metrics},
};

const REQUESTS: Family = Family {
    name: "dlr_http_requests_total",
    help: "Requests that were answered, by route, method and class of the status.",
};
const DURATION: Family = Family {
    name: "dlr_http_request_duration_seconds",
    help: "From the request's head until the answer begins, by route.",
};
const FAILURES: Family = Family {
    name: "dlr_question_failures_total",
    help: "Questions without an answer, by reason: the store, a question that asks for too much, too many scans at once, or a fault of ours.",
};
/// Why questions have no answer.
const REASONS: [ProblemKind; 5] = [
    ProblemKind::StoreUnavailable,
    ProblemKind::TookTooLong,
    ProblemKind::TooManyScans,
    ProblemKind::QuestionRefused,
    ProblemKind::Internal,
];
/// Seconds.
const DURATIONS: &[f64] = &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];
/// There are fewer routes.
const MOST_ROUTES: usize = 64;

/// The routes that were asked so far. Found without a lock, in the order in which they were first asked:
/// callbacks stand in front of nearly everything. Cheap to clone.
#[derive(Clone, Debug)]
pub(in crate::http) struct Routes(Arc<Known>);

#[derive(Debug)]
struct Known {
    metrics: Metrics,
    routes: [OnceLock<Route>; MOST_ROUTES],
    /// Of what comes beyond them.
    other: Route,
    failures: [(&'static str, Counter); REASONS.len()],
}

#[derive(Debug)]
struct Route {
    template: String,
    duration: Histogram,
    /// By method and by class of the status, made when they are first needed.
    requests: [[OnceLock<Counter>; CLASSES.len()]; METHODS.len()],
    /// Of callbacks they are counted by account.
    not_let_in: Option<Counter>,
}

/// A request under way.
#[derive(Clone, Copy, Debug)]
pub(super) struct CountedRequest {
    /// Where its route stands.
    route: usize,
    method: usize,
}

impl Routes {
    pub fn new(metrics: &Metrics) -> Self {
        Self(Arc::new(Known {
            metrics: metrics.clone(),
            routes: std::array::from_fn(|_| OnceLock::new()),
            other: Route::new(metrics, "other"),
            failures: REASONS.map(|kind| {
                let reason = kind.into();
                (reason, metrics.counter(FAILURES, &[("reason", reason)]))
            }),
        }))
    }

    /// Counts a question without an answer.
    pub fn failed(&self, kind: ProblemKind) {
        self.count_failure(kind.into());
    }

    fn count_failure(&self, outcome: &str) {
        if let Some((_, failures)) = self.0.failures.iter().find(|(reason, _)| *reason == outcome) {
            failures.increment(1);
        }
    }

    /// Finds what a request is counted by, while it can be seen.
    pub(super) fn asked(&self, template: &str, method: &Method) -> CountedRequest {
        let Known { metrics, routes, .. } = &*self.0;
        let is_it =
            |slot: &OnceLock<Route>| slot.get_or_init(|| Route::new(metrics, template)).template == template;
        let route = routes.iter().position(is_it).unwrap_or(MOST_ROUTES);
        let method = METHODS.iter().position(|known| *known == method.as_str());
        CountedRequest { route, method: method.unwrap_or(METHODS.len() - 1) }
    }

    /// Counts its answer.
    pub(super) fn answered<B>(&self, asked: CountedRequest, answer: &Response<B>, seconds: f64) {
        let Known { metrics, routes, other, .. } = &*self.0;
        let status = answer.status();
        let route = routes.get(asked.route).and_then(OnceLock::get).unwrap_or(other);
        let class = usize::from(status.as_u16() / 100).clamp(1, CLASSES.len()) - 1;
        let counter = route.requests[asked.method][class].get_or_init(|| {
            let labels =
                [("route", &*route.template), ("method", METHODS[asked.method]), ("status", CLASSES[class])];
            metrics.counter(REQUESTS, &labels)
        });
        counter.increment(1);
        route.duration.record(seconds);
        if let Some(not_let_in) = route.not_let_in.as_ref().filter(|_| !status.is_success()) {
            if status == StatusCode::UNAUTHORIZED {
                not_let_in.increment(1);
            }
            if let Some(RequestOutcome(outcome)) = answer.extensions().get() {
                self.count_failure(outcome);
            }
        }
    }
}

impl Route {
    fn new(metrics: &Metrics, template: &str) -> Self {
        let door = match template {
            callbacks if callbacks.starts_with("/callbacks/") => None,
            // Asked again and again while the store is away.
            "/readyz" => None,
            exotels if exotels.starts_with("/v{") || exotels.starts_with("/V{") => Some("compat"),
            _ => Some("questions"),
        };
        Self {
            template: template.to_owned(),
            duration: metrics.histogram(DURATION, &[("route", template)], DURATIONS),
            requests: std::array::from_fn(|_| std::array::from_fn(|_| OnceLock::new())),
            not_let_in: door.map(|door| metrics.counter(AUTH_REFUSALS, &[("door", door)])),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routes_beyond_the_most_are_counted_as_one() {
        let metrics = Metrics::default();
        let routes = Routes::new(&metrics);
        for number in 0..2 * MOST_ROUTES {
            let asked = routes.asked(&format!("/{number}"), &Method::GET);
            routes.answered(asked, &Response::new(()), 0.0);
        }
        let text = metrics.render();
        assert_eq!(text.matches("dlr_http_requests_total{").count(), MOST_ROUTES + 1);
        let other = format!("{{route=\"other\",method=\"GET\",status=\"2xx\"}} {MOST_ROUTES}");
        assert!(text.contains(&other), "{text}");
    }
}
