//! What a failed write means for those who wait for it.

use sqlx::migrate::MigrateError;

use super::StoreError;

/// What a failed write means for those who wait for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum Failure {
    /// Another writer was in the way; the same again may well succeed.
    Contention,
    /// The database refuses what a row holds, and always will.
    Poison,
    /// The store cannot do its work now, whatever it is given.
    Outage,
}

impl StoreError {
    /// What the error means for those who wait. What is not known is an outage: nothing is given up for it.
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

    /// Whether the database cannot be reached, or is only just starting or stopping. A database that
    /// refuses us, for a wrong password or name, is reached.
    #[must_use]
    pub fn is_unreachable(&self) -> bool {
        match self {
            Self::TimedOut(_) => true,
            Self::Database(error) | Self::Migration(MigrateError::Execute(error)) => match error {
                sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut => true,
                sqlx::Error::Database(error) => {
                    error.code().is_some_and(|code| UNREACHABLE.contains(&&code[..]) || is_of_pooler(&code))
                }
                _ => false,
            },
            _ => false,
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

/// The server ends the session, or is about to: `admin_shutdown`, `crash_shutdown`, `cannot_connect_now`,
/// `idle_session_timeout`. Or it is a standby, `read_only_sql_transaction`: by the next connection somebody
/// may have found the primary.
const CONNECTION_GONE: [&str; 5] = ["57P01", "57P02", "57P03", "57P05", "25006"];

/// `admin_shutdown`, `crash_shutdown`, `cannot_connect_now`, `too_many_connections`.
const UNREACHABLE: [&str; 4] = ["57P01", "57P02", "57P03", "53300"];

/// Class 08, a connection exception: how pgbouncer says that it has no server, or no session of one, or has
/// lost it. Older ones say so of a wrong password, too.
fn is_of_pooler(code: &str) -> bool {
    is_sqlstate(code) && code.starts_with("08")
}

/// Codes of Postgres have five characters; those of SQLite are numbers of four digits at most.
fn is_sqlstate(code: &str) -> bool {
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
}
