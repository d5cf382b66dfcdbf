//! Damage of SQLite files: which errors reveal it, and how to look for it.

use std::time::{Duration, Instant};

use sqlx::{AssertSqlSafe, SqliteConnection, error::DatabaseError, migrate::MigrateError};

/// The result of checking a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Integrity {
    /// The whole file was checked, and is undamaged.
    Whole,
    /// The damage.
    Damaged(String),
    /// The time was too short for the whole file; what was checked is undamaged.
    InPart,
}

/// Whether the error says that the file is damaged: malformed, no database, too short, or with a page that the disk cannot
/// read. Source: SQLite's list of result codes.
pub(super) fn is_damage(error: &sqlx::Error) -> bool {
    /// `SQLITE_IOERR_READ`, `SQLITE_IOERR_SHORT_READ` and `SQLITE_IOERR_CORRUPTFS`.
    const READS: [u32; 3] = [266, 522, 8458];
    match error {
        sqlx::Error::Migrate(error) => is_damage_of_migration(error),
        error => code(error).is_some_and(|code| matches!(code & 0xFF, 11 | 26) || READS.contains(&code)),
    }
}

/// The same for the error of a migration.
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

/// Checks a whole file, for at most `budget`. `check` is a pragma, such as `quick_check`.
///
/// # Errors
/// SQLite's errors other than damage.
pub(super) async fn look(
    connection: &mut SqliteConnection,
    check: &str,
    budget: Option<Duration>,
) -> sqlx::Result<Integrity> {
    /// About one millisecond of work.
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
        // An interrupted check may return what it has found so far, and then that it was interrupted.
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
