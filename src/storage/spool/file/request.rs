//! Callbacks as the spool keeps them.

use sqlx::{FromRow, Sqlite, query::Query, sqlite::SqliteArguments};

use crate::{domain::Time, storage::time::StoredTime};

/// A callback as the spool keeps it: raw, but for the token of its URL.
#[derive(Clone, Debug, FromRow)]
pub struct SpooledRequest {
    /// Its place in the spool; nothing where it has none yet.
    #[sqlx(default)]
    pub id: i64,
    /// When it came.
    #[sqlx(try_from = "StoredTime")]
    pub received_at: Time,
    /// The account whose URL was called.
    pub account: String,
    /// `POST` or `GET`.
    pub method: String,
    /// The `Content-Type` header.
    pub content_type: Option<String>,
    /// The `Content-Encoding` header.
    pub content_encoding: Option<String>,
    /// The query string, percent-encoded.
    pub query: String,
    /// The body.
    pub body: Vec<u8>,
    /// The recipient that the callback URL was signed for, where a signature authenticated the callback.
    pub signed_for: Option<String>,
    /// Who says what it says: a word of [`Source`](crate::domain::Source)'s, or one of a later version's.
    pub source: String,
}

/// A spooled request that can never be drained.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undrainable {
    /// Its place in the spool.
    pub id: i64,
    /// Why it cannot be drained.
    pub reason: String,
}

/// A callback that could never be drained.
#[derive(Clone, Debug)]
pub struct QuarantinedRequest {
    /// The callback.
    pub request: SpooledRequest,
    /// Why it could not be drained.
    pub reason: String,
}

/// The columns of a callback but for its place, in the order in which [`bound`] binds them.
macro_rules! columns {
    () => {
        "received_at, account, method, content_type, content_encoding, query, body, signed_for, source"
    };
}
pub(super) use columns;

/// A statement with the columns of a callback.
pub(super) fn bound<'q>(
    statement: Query<'q, Sqlite, SqliteArguments>,
    request: &'q SpooledRequest,
) -> Query<'q, Sqlite, SqliteArguments> {
    statement
        .bind(StoredTime(request.received_at))
        .bind(&request.account)
        .bind(&request.method)
        .bind(&request.content_type)
        .bind(&request.content_encoding)
        .bind(&request.query)
        .bind(&request.body)
        .bind(&request.signed_for)
        .bind(&request.source)
}
