//! Turns SQLite's errors about a spool's file into [`SpoolError`]s.

use sqlx::{error::DatabaseError, migrate::MigrateError};

use super::SpooledRequest;
use crate::storage::{SpoolError, damage::is_damage};

pub(super) fn failed(error: sqlx::Error) -> SpoolError {
    const FULL: &str = "13";
    match code(&error).as_deref() {
        Some(FULL) => SpoolError::Full,
        _ if is_damage(&error) => SpoolError::Damaged(error.to_string()),
        // We can read each row that we have written, so a row that cannot be decoded is on a damaged page.
        _ if matches!(error, sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_)) => {
            SpoolError::Damaged(error.to_string())
        }
        _ => SpoolError::Failed(error),
    }
}

/// The same for migrations: an unknown schema, or an unknown list of migrations, is damage as well.
pub(super) fn unprepared(error: MigrateError) -> SpoolError {
    const SCHEMA: &str = "1";
    let is_other = match &error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => {
            code(error).as_deref() == Some(SCHEMA)
        }
        _ => true,
    };
    if is_other {
        return SpoolError::Damaged(error.to_string());
    }
    match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => failed(error),
        error => failed(error.into()),
    }
}

/// Checks that no callback is missing. Ids have no gaps, since callbacks are appended and deleted from the front. A gap means
/// that a page cannot be reached; deleting up to a wrong id would delete callbacks that were never drained.
pub(super) fn in_order(oldest: Vec<SpooledRequest>, after: i64) -> Result<Vec<SpooledRequest>, SpoolError> {
    let Some(first) = oldest.first().map(|request| request.id) else { return Ok(oldest) };
    let places = if after > 0 { after + 1 } else { first }..;
    match oldest.iter().zip(places).find(|(request, place)| request.id != *place) {
        None => Ok(oldest),
        Some((request, place)) => Err(SpoolError::Damaged(format!(
            "callback {} stands in the place of callback {place}",
            request.id
        ))),
    }
}

fn code(error: &sqlx::Error) -> Option<String> {
    error.as_database_error().and_then(DatabaseError::code).map(Into::into)
}
