//! Answers where no handler has one.

use std::any::Any;

use axum::response::{IntoResponse, Response};

use super::{Problem, ProblemKind};

/// Nothing is at this path.
pub(super) async fn no_such_route() -> Problem {
    Problem::new(ProblemKind::UnknownRoute, "nothing is here; docs/api.md lists the routes")
}

/// The path is right, the method is not; axum adds the `Allow` header.
pub(super) async fn method_not_allowed() -> Problem {
    Problem::new(
        ProblemKind::MethodNotAllowed,
        "the route does not take this method; `Allow` names those it takes",
    )
}

/// A panic is a bug of ours; the panic hook has logged where it was.
pub(super) fn panicked(_: Box<dyn Any + Send>) -> Response {
    Problem::new(ProblemKind::Internal, "the service failed; its log says where").into_response()
}
