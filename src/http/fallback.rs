//! Answers to requests that reach no handler.

use std::any::Any;

use axum::response::{IntoResponse, Response};

use super::{Problem, ProblemKind};

/// No route has this path.
pub(super) async fn no_such_route() -> Problem {
    Problem::new(ProblemKind::UnknownRoute, "nothing is here; docs/api.md lists the routes")
}

/// The route does not have this method. axum adds the `Allow` header.
pub(super) async fn method_not_allowed() -> Problem {
    Problem::new(
        ProblemKind::MethodNotAllowed,
        "the route does not take this method; `Allow` names those it takes",
    )
}

/// A handler panicked, which is a bug of ours. The panic hook has logged where.
pub(super) fn panicked(_: Box<dyn Any + Send>) -> Response {
    Problem::new(ProblemKind::Internal, "the service failed; its log says where").into_response()
}
