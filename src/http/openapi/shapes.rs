//! What operations of the API have in common: how a problem is told, and what a callback says.

use utoipa::{IntoParams, IntoResponses, ToSchema};

/// What went wrong: RFC 9457. Some kinds say more, in members of their own.
#[derive(ToSchema)]
#[expect(dead_code, reason = "a problem is put together member by member")]
pub(in crate::http) struct ProblemBody {
    /// The kind of problem; programs may decide by it.
    #[schema(example = "urn:dlr-receiver:problem:invalid_parameter")]
    r#type: String,
    /// The kind in words.
    #[schema(example = "Invalid parameter")]
    title: String,
    /// The status of the answer.
    #[schema(example = 400)]
    status: u16,
    /// What is wrong this time.
    #[schema(example = "`limit`: must be a whole number from 1 to 500")]
    detail: String,
    /// The parameter that is wrong.
    #[schema(example = "limit", nullable = false)]
    parameter: Option<String>,
    /// The words that it may be.
    #[schema(nullable = false)]
    allowed: Option<Vec<String>>,
}

/// How a question is refused.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "what it stands for is answered as a problem")]
pub(in crate::http) enum Refusals {
    /// A parameter is wrong, and named; or the database refuses the question as it was asked (`question_refused`).
    #[response(status = 400, content_type = "application/problem+json")]
    Parameter(ProblemBody),
    /// No API key, or an unknown one.
    #[response(status = 401, content_type = "application/problem+json")]
    Unauthorized(ProblemBody),
    /// The API key lacks the scope.
    #[response(status = 403, content_type = "application/problem+json")]
    MissingScope(ProblemBody),
    /// Too many questions with this key or from this address; `Retry-After` says when to go on.
    #[response(status = 429, content_type = "application/problem+json", headers(("Retry-After" = u64, description = "Seconds")))]
    TooMany(ProblemBody),
    /// The database cannot answer now (`store_unavailable`); as many questions that read much are being answered as may
    /// be at once (`too_many_scans`); or the answer took longer than it may (`took_too_long`). `Retry-After` says when to
    /// ask again.
    #[response(status = 503, content_type = "application/problem+json", headers(("Retry-After" = u64, description = "Seconds")))]
    Unavailable(ProblemBody),
}

/// How a callback is refused.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "what it stands for is answered as a problem")]
pub(in crate::http) enum CallbackRefusals {
    /// The path is not valid UTF-8.
    #[response(status = 400, content_type = "application/problem+json")]
    Parameter(ProblemBody),
    /// A token or signature is missing or wrong, or callbacks are not taken from this address.
    #[response(status = 401, content_type = "application/problem+json")]
    Unauthorized(ProblemBody),
    /// No such account.
    #[response(status = 404, content_type = "application/problem+json")]
    UnknownAccount(ProblemBody),
    /// The body comes too slowly.
    #[response(status = 408, content_type = "application/problem+json")]
    TooSlow(ProblemBody),
    /// The body is larger than 64 KiB.
    #[response(status = 413, content_type = "application/problem+json")]
    TooLarge(ProblemBody),
    /// A content type or encoding that is not taken.
    #[response(status = 415, content_type = "application/problem+json")]
    UnsupportedMediaType(ProblemBody),
    /// No status callback, or a broken body; kept with the reason.
    #[response(status = 422, content_type = "application/problem+json")]
    NoStatusCallback(ProblemBody),
    /// Refused like that too often from this address; `Retry-After` says when to go on.
    #[response(status = 429, content_type = "application/problem+json", headers(("Retry-After" = u64, description = "Seconds")))]
    TooManyRefused(ProblemBody),
    /// Neither the store nor the spool can take it, or too many wait.
    #[response(status = 503, content_type = "application/problem+json")]
    Unavailable(ProblemBody),
}

/// What Exotel sends, as far as its reference names it. Keys match without regard to case and underscores; further
/// ones are kept, and so is a value of JSON that is no text.
#[derive(ToSchema, IntoParams)]
#[schema(as = Callback, rename_all = "PascalCase")]
#[into_params(parameter_in = Query, rename_all = "PascalCase")]
#[expect(dead_code, reason = "fields are read one by one, under all their spellings")]
pub(in crate::http) struct CallbackFields {
    /// The message's Sid.
    #[schema(value_type = Value, example = "0f477d60517e6e6a0f6d9a7e9af8630e")]
    #[param(value_type = String)]
    sms_sid: String,
    /// The recipient.
    #[schema(value_type = Option<Value>, example = "09812345670")]
    #[param(value_type = Option<String>)]
    to: Option<String>,
    /// The status. It, the code or the name must be there.
    #[schema(value_type = Option<Value>, example = "sent")]
    #[param(value_type = Option<String>)]
    status: Option<String>,
    /// The detailed status code.
    #[schema(value_type = Option<Value>, example = "20005")]
    #[param(value_type = Option<String>)]
    detailed_status_code: Option<String>,
    /// The code's name.
    #[schema(value_type = Option<Value>, example = "DELIVERED_TO_HANDSET")]
    #[param(value_type = Option<String>)]
    detailed_status: Option<String>,
    /// Parts sent.
    #[schema(value_type = Option<Value>, example = "1")]
    #[param(value_type = Option<String>)]
    sms_units: Option<String>,
    /// When it was sent, by the clock of the account.
    #[schema(value_type = Option<Value>, example = "2026-11-21 18:29:33")]
    #[param(value_type = Option<String>)]
    date_sent: Option<String>,
    /// The sender's own text.
    #[schema(value_type = Option<Value>, example = "order-7")]
    #[param(value_type = Option<String>)]
    custom_field: Option<String>,
}
