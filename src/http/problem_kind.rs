//! The kinds of problems that answers may be.

use axum::http::StatusCode;

/// The kinds of problems. Their words are stable: programs may decide by `type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::EnumCount, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum ProblemKind {
    /// The account does not accept callbacks from this address.
    AddressNotAllowed,
    /// The same sid was reported for several accounts.
    AmbiguousSid,
    /// The database refuses what the callback holds.
    CannotBeStored,
    /// The service failed.
    Internal,
    /// A parameter of the question is wrong.
    InvalidParameter,
    /// The body is not what its content type says.
    MalformedBody,
    /// The API key lacks the scope.
    MissingScope,
    /// The route does not have this method.
    MethodNotAllowed,
    /// The body is too large.
    BodyTooLarge,
    /// The body comes too slowly.
    BodyTooSlow,
    /// The client accepts none of the route's media types.
    NotAcceptable,
    /// The fields are no status callback.
    NotAStatusCallback,
    /// Too many callbacks wait already.
    Overloaded,
    /// The database refuses the question as it was asked.
    QuestionRefused,
    /// Neither database nor spool can take the callback, or the database cannot answer.
    StoreUnavailable,
    /// The answer took longer than it may.
    TookTooLong,
    /// As many scans run as are allowed.
    TooManyScans,
    /// The caller has exceeded a rate limit.
    TooManyRequests,
    /// A token or key is missing or wrong.
    Unauthorized,
    /// No such account.
    UnknownAccount,
    /// No message has this sid.
    UnknownSid,
    /// No such route.
    UnknownRoute,
    /// The code stands in no table.
    UnknownStatusCode,
    /// The content type or encoding is not supported.
    UnsupportedMediaType,
}

impl ProblemKind {
    /// The status and the title that problems of this kind have.
    pub(super) fn status_and_title(self) -> (StatusCode, &'static str) {
        match self {
            Self::AddressNotAllowed => (StatusCode::UNAUTHORIZED, "Address not allowed"),
            Self::AmbiguousSid => (StatusCode::CONFLICT, "Several accounts have this sid"),
            Self::BodyTooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "Body too large"),
            Self::BodyTooSlow => (StatusCode::REQUEST_TIMEOUT, "Body too slow"),
            Self::CannotBeStored => (StatusCode::UNPROCESSABLE_ENTITY, "Cannot be stored"),
            Self::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "Internal error"),
            Self::InvalidParameter => (StatusCode::BAD_REQUEST, "Invalid parameter"),
            Self::MalformedBody => (StatusCode::UNPROCESSABLE_ENTITY, "Malformed body"),
            Self::MethodNotAllowed => (StatusCode::METHOD_NOT_ALLOWED, "Method not allowed"),
            Self::MissingScope => (StatusCode::FORBIDDEN, "Missing scope"),
            Self::NotAcceptable => (StatusCode::NOT_ACCEPTABLE, "Not acceptable"),
            Self::NotAStatusCallback => (StatusCode::UNPROCESSABLE_ENTITY, "Not a status callback"),
            Self::Overloaded => (StatusCode::SERVICE_UNAVAILABLE, "Overloaded"),
            Self::QuestionRefused => (StatusCode::BAD_REQUEST, "Question refused"),
            Self::TookTooLong => (StatusCode::SERVICE_UNAVAILABLE, "Took too long"),
            Self::TooManyScans => (StatusCode::SERVICE_UNAVAILABLE, "Too many scans"),
            Self::StoreUnavailable => (StatusCode::SERVICE_UNAVAILABLE, "Store unavailable"),
            Self::TooManyRequests => (StatusCode::TOO_MANY_REQUESTS, "Too many requests"),
            Self::Unauthorized => (StatusCode::UNAUTHORIZED, "Unauthorized"),
            Self::UnknownAccount => (StatusCode::NOT_FOUND, "Unknown account"),
            Self::UnknownRoute => (StatusCode::NOT_FOUND, "Unknown route"),
            Self::UnknownSid => (StatusCode::NOT_FOUND, "Unknown sid"),
            Self::UnknownStatusCode => (StatusCode::NOT_FOUND, "Unknown status code"),
            Self::UnsupportedMediaType => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "Unsupported media type"),
        }
    }
}
