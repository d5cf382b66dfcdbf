//! Classifies the database's errors by what is wrong with the database.

use sqlx::migrate::MigrateError;

use super::Trouble;
use crate::storage::{
    StoreError,
    failure::{is_of_pooler, is_sqlstate},
};

impl StoreError {
    /// Why the database does not work.
    #[must_use]
    pub fn trouble(&self) -> Trouble {
        match self {
            Self::TimedOut(_) => Trouble::Silent,
            Self::Folder { .. } => Trouble::File,
            Self::Damaged { .. } => Trouble::Damaged,
            Self::Database(error) | Self::Migration(MigrateError::Execute(error)) => trouble_of(error),
            Self::Migration(MigrateError::ExecuteMigration(error, _)) => match trouble_of(error) {
                // Of a statement that migrates, these say nothing about the schema as a whole.
                Trouble::Other | Trouble::Schema => Trouble::Migration,
                known => known,
            },
            Self::Url(_) | Self::Encoding(_) | Self::Migration(_) => Trouble::Unfit,
            Self::Word { .. } | Self::Receipt { .. } | Self::Json(_) => Trouble::Other,
        }
    }

    /// Whether a start has to end with this error, although callbacks could be spooled: the configuration or the database is wrong
    /// in a way that waiting does not change, and no service can have been running with it.
    #[must_use]
    pub fn ends_a_start(&self) -> bool {
        self.trouble() == Trouble::Unfit
    }
}

/// Classifies an error of the driver.
pub(in crate::storage) fn trouble_of(error: &sqlx::Error) -> Trouble {
    match error {
        sqlx::Error::Io(_) => Trouble::Unreachable,
        sqlx::Error::PoolTimedOut => Trouble::Silent,
        sqlx::Error::Tls(_) => Trouble::Tls,
        sqlx::Error::Database(error) => match error.code() {
            Some(code) if is_sqlstate(&code) => of_postgres(&code),
            Some(code) => of_sqlite(&code),
            None => Trouble::Other,
        },
        _ => Trouble::Other,
    }
}

/// Source: Postgres' appendix of error codes.
fn of_postgres(code: &str) -> Trouble {
    match code {
        // statement_timeout ends a statement with query_canceled.
        "57014" => Trouble::Silent,
        "57P01" | "57P02" | "57P03" => Trouble::Starting,
        "25006" => Trouble::ReadOnly,
        "53300" => Trouble::Connections,
        "53100" => Trouble::Full,
        "53200" => Trouble::Memory,
        "3D000" => Trouble::NoDatabase,
        "42501" => Trouble::Rights,
        // undefined_table, undefined_column, undefined_function, invalid_schema_name
        "42P01" | "42703" | "42883" | "3F000" => Trouble::Schema,
        "55P03" | "40001" | "40P01" => Trouble::Locked,
        _ if code.starts_with("28") => Trouble::Refused,
        _ if is_of_pooler(code) => Trouble::Unreachable,
        _ => Trouble::Other,
    }
}

/// Source: SQLite's list of result codes; the lower byte of an extended one is the primary one.
fn of_sqlite(code: &str) -> Trouble {
    match code.parse::<u32>().unwrap_or_default() & 0xFF {
        // SQLITE_ERROR: no such table, or column.
        1 => Trouble::Schema,
        // SQLITE_BUSY, SQLITE_LOCKED
        5 | 6 => Trouble::Locked,
        // SQLITE_NOMEM
        7 => Trouble::Memory,
        // SQLITE_READONLY
        8 => Trouble::ReadOnly,
        // SQLITE_CORRUPT, SQLITE_NOTADB
        11 | 26 => Trouble::Damaged,
        // SQLITE_FULL
        13 => Trouble::Full,
        // SQLITE_PERM, SQLITE_CANTOPEN, SQLITE_AUTH
        3 | 14 | 23 => Trouble::File,
        _ => Trouble::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_say_what_is_wrong() {
        for (code, trouble) in [
            ("57P03", Trouble::Starting),
            ("57P01", Trouble::Starting),
            ("57014", Trouble::Silent),
            ("25006", Trouble::ReadOnly),
            ("53300", Trouble::Connections),
            ("53100", Trouble::Full),
            ("53200", Trouble::Memory),
            ("28P01", Trouble::Refused),
            ("28000", Trouble::Refused),
            ("3D000", Trouble::NoDatabase),
            ("42501", Trouble::Rights),
            ("42P01", Trouble::Schema),
            ("3F000", Trouble::Schema),
            ("55P03", Trouble::Locked),
            ("08P01", Trouble::Unreachable),
            ("XX000", Trouble::Other),
        ] {
            assert_eq!(of_postgres(code), trouble, "{code}");
        }
        for (code, trouble) in [
            ("1", Trouble::Schema),
            ("5", Trouble::Locked),
            ("261", Trouble::Locked),
            ("8", Trouble::ReadOnly),
            ("1544", Trouble::ReadOnly),
            ("11", Trouble::Damaged),
            ("13", Trouble::Full),
            ("14", Trouble::File),
            ("10", Trouble::Other),
        ] {
            assert_eq!(of_sqlite(code), trouble, "{code}");
        }
    }

    #[test]
    fn only_what_waiting_does_not_change_ends_a_start() {
        let io = sqlx::Error::Io(std::io::ErrorKind::ConnectionRefused.into());
        for (error, trouble, ends) in [
            (StoreError::from(io), Trouble::Unreachable, false),
            (StoreError::from(sqlx::Error::PoolTimedOut), Trouble::Silent, false),
            (StoreError::from(sqlx::Error::Tls("no".into())), Trouble::Tls, false),
            (StoreError::from(sqlx::Error::Protocol("no Postgres".into())), Trouble::Other, false),
            (StoreError::from(MigrateError::VersionMismatch(2)), Trouble::Unfit, true),
            (StoreError::from(MigrateError::Dirty(2)), Trouble::Unfit, true),
            (StoreError::Encoding("LATIN1".into()), Trouble::Unfit, true),
        ] {
            assert_eq!((error.trouble(), error.ends_a_start()), (trouble, ends), "{error}");
        }
        let failed = MigrateError::ExecuteMigration(sqlx::Error::PoolTimedOut, 1);
        assert_eq!(StoreError::from(failed).trouble(), Trouble::Silent);
        let failed = MigrateError::ExecuteMigration(sqlx::Error::WorkerCrashed, 1);
        assert_eq!(StoreError::from(failed).trouble(), Trouble::Migration);
    }
}
