//! Checks that the file can be written.

use sqlx::SqliteConnection;

use super::removal::REMOVE;
use crate::storage::sqlite::begin;

/// A row that is deleted again in the same transaction.
pub(super) const PROBE: &str =
    "INSERT INTO spooled (id, received_at, account, method, query, body) VALUES (-1, 0, '', '', '', '')";

/// Writes a row and deletes it in the same transaction.
pub(super) async fn probe(connection: &mut SqliteConnection) -> sqlx::Result<()> {
    let mut transaction = begin(connection).await?;
    sqlx::query(PROBE).execute(&mut *transaction).await?;
    sqlx::query(REMOVE).bind(-1).execute(&mut *transaction).await?;
    transaction.commit().await
}
