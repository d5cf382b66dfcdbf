//! Classifies the database's errors by what a caller can do about them.

use crate::storage::StoreError;

/// What a failed write calls for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum Failure {
    /// Another writer held a lock. A retry may succeed.
    Contention,
    /// The database refuses a value of a row. A retry cannot succeed.
    Poison,
    /// The database does not work at the moment, whatever it is given.
    Outage,
}

/// Why a question was not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuestionFailure {
    /// The database refuses the statement because of the question's values or size. The database works.
    Refused,
    /// The database cancelled the statement at its timeout. The database works; the question asks for too much.
    TookTooLong,
    /// A stored value cannot be read by this version.
    Unreadable,
    /// The database does not work at the moment, whatever it is asked.
    Outage,
}

impl StoreError {
    /// Classifies the error of a question. An unknown error is an outage.
    #[must_use]
    pub fn question_failure(&self) -> QuestionFailure {
        match self {
            Self::Word { .. } | Self::Receipt { .. } | Self::Json(_) => QuestionFailure::Unreadable,
            Self::Database(error) => match error {
                sqlx::Error::Encode(_) => QuestionFailure::Refused,
                sqlx::Error::Decode(_) | sqlx::Error::ColumnDecode { .. } => QuestionFailure::Unreadable,
                sqlx::Error::Database(error) => match error.code() {
                    Some(code) if is_sqlstate(&code) => question_of_postgres(&code),
                    Some(code) => question_of_sqlite(&code, error.message()),
                    None => QuestionFailure::Outage,
                },
                _ => QuestionFailure::Outage,
            },
            _ => QuestionFailure::Outage,
        }
    }

    /// The database's error code, which contains nothing of the statement's values.
    #[must_use]
    pub fn code(&self) -> Option<String> {
        match self {
            Self::Database(sqlx::Error::Database(error)) => error.code().map(Into::into),
            _ => None,
        }
    }

    /// Classifies the error of a write. An unknown error is an outage, since then nothing is dropped.
    #[must_use]
    pub fn failure(&self) -> Failure {
        match self {
            Self::Database(sqlx::Error::Encode(_)) => Failure::Poison,
            Self::Database(sqlx::Error::Database(error)) => match error.code() {
                Some(code) if is_sqlstate(&code) => of_postgres(&code),
                Some(code) => of_sqlite(&code),
                None => Failure::Outage,
            },
            _ => Failure::Outage,
        }
    }

    /// Whether the connection can no longer be used.
    pub(super) fn breaks_connection(&self) -> bool {
        match self {
            Self::Database(sqlx::Error::Database(error)) => {
                error.code().is_some_and(|code| CONNECTION_GONE.contains(&&code[..]) || is_of_pooler(&code))
            }
            Self::Database(sqlx::Error::Encode(_)) => false,
            _ => true,
        }
    }
}

/// Codes after which the session is of no more use: `admin_shutdown`, `crash_shutdown`, `cannot_connect_now`,
/// `idle_session_timeout`; and `read_only_sql_transaction` of a standby, since a new connection may reach the primary.
const CONNECTION_GONE: [&str; 5] = ["57P01", "57P02", "57P03", "57P05", "25006"];

/// Class 08, connection exceptions: pgbouncer reports so that it has no server connection or has lost it. Older versions report
/// a wrong password in the same way.
pub(super) fn is_of_pooler(code: &str) -> bool {
    is_sqlstate(code) && code.starts_with("08")
}

/// Codes of Postgres have five characters; those of SQLite are numbers of four digits at most.
pub(super) fn is_sqlstate(code: &str) -> bool {
    code.len() == 5
}

/// Source: Postgres' appendix of error codes.
fn of_postgres(code: &str) -> Failure {
    match code {
        // serialization_failure, deadlock_detected, lock_not_available
        "40001" | "40P01" | "55P03" => Failure::Contention,
        // Cardinality, data exceptions, integrity constraints, limits of a row, exceptions raised by a trigger.
        _ if ["21", "22", "23", "44", "54", "P0"].contains(&&code[..2]) => Failure::Poison,
        _ => Failure::Outage,
    }
}

/// The question is to blame for cardinality, data exceptions, unsupported features, syntax and limits; the store for a missing
/// table, column or right.
/// Source: Postgres' appendix of error codes.
fn question_of_postgres(code: &str) -> QuestionFailure {
    /// `insufficient_privilege`, `undefined_table`, `undefined_column`, `undefined_function`, `undefined_object`.
    const SCHEMA: [&str; 5] = ["42501", "42P01", "42703", "42883", "42704"];
    match code {
        // query_canceled, by statement_timeout
        "57014" => QuestionFailure::TookTooLong,
        _ if SCHEMA.contains(&code) => QuestionFailure::Outage,
        _ if ["0A", "21", "22", "42", "54"].contains(&&code[..2]) => QuestionFailure::Refused,
        _ => QuestionFailure::Outage,
    }
}

/// SQLite's generic error stands for limits of a statement and for missing tables; only its text distinguishes them. Source: `sqlite3ErrorMsg` in SQLite's `expr.c`, `select.c` and `parse.y`.
fn question_of_sqlite(code: &str, message: &str) -> QuestionFailure {
    const ERROR: u32 = 1;
    const INTERRUPT: u32 = 9;
    const TOO_BIG: u32 = 18;
    const MISMATCH: u32 = 20;
    const OUT_OF_RANGE: u32 = 25;
    const LIMITS: [&str; 4] =
        ["Expression tree is too large", "parser stack overflow", "too many", "variable number"];
    match code.parse::<u32>().unwrap_or_default() & 0xFF {
        INTERRUPT => QuestionFailure::TookTooLong,
        TOO_BIG | MISMATCH | OUT_OF_RANGE => QuestionFailure::Refused,
        ERROR if LIMITS.iter().any(|limit| message.starts_with(limit)) => QuestionFailure::Refused,
        _ => QuestionFailure::Outage,
    }
}

/// Source: SQLite's list of result codes; the lower byte of an extended one is the primary one.
fn of_sqlite(code: &str) -> Failure {
    const BUSY: u32 = 5;
    const LOCKED: u32 = 6;
    const TOO_BIG: u32 = 18;
    const CONSTRAINT: u32 = 19;
    const MISMATCH: u32 = 20;
    const OUT_OF_RANGE: u32 = 25;
    match code.parse::<u32>().unwrap_or_default() & 0xFF {
        BUSY | LOCKED => Failure::Contention,
        TOO_BIG | CONSTRAINT | MISMATCH | OUT_OF_RANGE => Failure::Poison,
        _ => Failure::Outage,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_say_what_to_do() {
        for (code, failure) in [
            ("40P01", Failure::Contention),
            ("22003", Failure::Poison),
            ("23514", Failure::Poison),
            ("P0001", Failure::Poison),
            ("57P01", Failure::Outage),
            ("08P01", Failure::Outage),
            ("53100", Failure::Outage),
            ("42P01", Failure::Outage),
            ("25006", Failure::Outage),
        ] {
            assert_eq!(of_postgres(code), failure, "{code}");
        }
        for (code, failure) in [
            ("5", Failure::Contention),
            ("517", Failure::Contention),
            ("1811", Failure::Poison),
            ("13", Failure::Outage),
            ("1", Failure::Outage),
        ] {
            assert_eq!(of_sqlite(code), failure, "{code}");
        }
        assert_eq!(StoreError::from(sqlx::Error::PoolTimedOut).failure(), Failure::Outage);
    }

    #[test]
    fn a_question_that_cannot_be_asked_is_no_outage() {
        use QuestionFailure::{Outage, Refused, TookTooLong, Unreadable};
        for (code, failure) in [
            ("57014", TookTooLong),
            ("22008", Refused),
            ("54001", Refused),
            ("42601", Refused),
            ("0A000", Refused),
            ("21000", Refused),
            ("42P01", Outage),
            ("42501", Outage),
            ("57P01", Outage),
            ("53300", Outage),
            ("08006", Outage),
            ("XX001", Outage),
        ] {
            assert_eq!(question_of_postgres(code), failure, "{code}");
        }
        for (code, message, failure) in [
            ("1", "Expression tree is too large (maximum depth 1000)", Refused),
            ("1", "too many SQL variables", Refused),
            ("1", "no such table: messages", Outage),
            ("9", "interrupted", TookTooLong),
            ("18", "string or blob too big", Refused),
            ("25", "column index out of range", Refused),
            ("11", "database disk image is malformed", Outage),
            ("5", "database is locked", Outage),
        ] {
            assert_eq!(question_of_sqlite(code, message), failure, "{code} {message}");
        }
        let encode = StoreError::from(sqlx::Error::Encode("out of range".into()));
        assert_eq!(encode.question_failure(), Refused);
        let json = serde_json::from_str::<u8>("x").unwrap_err();
        assert_eq!(StoreError::from(json).question_failure(), Unreadable);
        assert_eq!(StoreError::from(sqlx::Error::PoolTimedOut).question_failure(), Outage);
    }
}
