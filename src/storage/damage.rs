//! Damage of SQLite's files: which errors tell of it, and looking for it.

use std::time::{Duration, Instant};

use sqlx::{AssertSqlSafe, SqliteConnection, error::DatabaseError, migrate::MigrateError};

/// What looking at a file has found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Integrity {
    /// All of it is as it should be.
    Whole,
    /// What is wrong.
    Damaged(String),
    /// The time did not suffice for all of it; what was looked at is as it should be.
    InPart,
}

/// Whether SQLite says that its file is not as it was written: malformed, no database, too short, or that the
/// disk does not give a page back. Source: SQLite's list of result codes.
pub(super) fn is_damage(error: &sqlx::Error) -> bool {
    /// `SQLITE_IOERR_READ`, `SQLITE_IOERR_SHORT_READ` and `SQLITE_IOERR_CORRUPTFS`.
    const READS: [u32; 3] = [266, 522, 8458];
    match error {
        sqlx::Error::Migrate(error) => is_damage_of_migration(error),
        error => code(error).is_some_and(|code| matches!(code & 0xFF, 11 | 26) || READS.contains(&code)),
    }
}

/// The same, of a migration.
pub(super) fn is_damage_of_migration(error: &MigrateError) -> bool {
    match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => is_damage(error),
        _ => false,
    }
}

/// SQLite's extended result code.
fn code(error: &sqlx::Error) -> Option<u32> {
    // Postgres' codes have five characters.
    let code = error.as_database_error().and_then(DatabaseError::code).filter(|code| code.len() < 5)?;
    code.parse().ok()
}

/// Looks at a whole file, for as long as `budget` allows. `check` is a pragma, such as `quick_check`.
///
/// # Errors
/// What SQLite says, but for damage.
pub(super) async fn look(
    connection: &mut SqliteConnection,
    check: &str,
    budget: Option<Duration>,
) -> sqlx::Result<Integrity> {
    /// About a millisecond's work.
    const OPERATIONS: i32 = 10_000;
    const INTERRUPTED: u32 = 9;
    if let Some(budget) = budget {
        let began = Instant::now();
        let mut handle = connection.lock_handle().await?;
        handle.set_progress_handler(OPERATIONS, move || began.elapsed() < budget);
    }
    let pragma = AssertSqlSafe(format!("PRAGMA {check}"));
    let found: sqlx::Result<Vec<String>> = sqlx::query_scalar(pragma).fetch_all(&mut *connection).await;
    connection.lock_handle().await?.remove_progress_handler();
    match found {
        Ok(found) if found == ["ok"] => Ok(Integrity::Whole),
        // A look that is interrupted may end with what it has found so far, and that it was interrupted.
        Ok(found) => match found.iter().find(|line| !line.contains("interrupted") && *line != "ok") {
            Some(first) => {
                Ok(Integrity::Damaged(first.replace('\n', " ").replace("*** in database main *** ", "")))
            }
            None => Ok(Integrity::InPart),
        },
        Err(error) if is_damage(&error) => Ok(Integrity::Damaged(error.to_string())),
        Err(error) if code(&error) == Some(INTERRUPTED) => Ok(Integrity::InPart),
        Err(error) => Err(error),
    }
}
