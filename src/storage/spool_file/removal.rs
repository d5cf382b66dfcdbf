//! Taking out of the spool what has been drained, and setting aside what never can be.

use sqlx::{AssertSqlSafe, SqliteConnection};

use super::{SpoolFile, failed};
use crate::storage::{
    SpoolError,
    sqlite::{begin, give_back},
};

pub(super) const REMOVE: &str = "DELETE FROM spooled WHERE id <= $1";
pub(super) const QUARANTINE: &str = "INSERT INTO quarantined (received_at, account, method, content_type, content_encoding, query, body, reason) \
     SELECT received_at, account, method, content_type, content_encoding, query, body, $2 FROM spooled WHERE id = $1";

/// SQLite's own limit.
const MOST_PAGES: u64 = 4_294_967_294;

impl SpoolFile {
    /// Forgets what [`Self::oldest`] gave, up to a place, but sets aside those that can never be drained,
    /// each with the reason.
    ///
    /// # Errors
    /// [`SpoolError`]: all of them are still there.
    pub async fn remove(&self, through: i64, undrainable: &[(i64, String)]) -> Result<(), SpoolError> {
        let mut connection = self.pool.acquire().await.map_err(failed)?;
        // What is set aside takes more room than it did, and a spool that is full has none.
        limit_pages(&mut connection, MOST_PAGES).await.map_err(failed)?;
        let removed = remove(&mut connection, through, undrainable).await;
        limit_pages(&mut connection, self.cap).await.map_err(failed)?;
        give_back(connection, removed).map_err(failed)
    }
}

async fn remove(
    connection: &mut SqliteConnection,
    through: i64,
    undrainable: &[(i64, String)],
) -> sqlx::Result<()> {
    let mut transaction = begin(connection).await?;
    for (id, reason) in undrainable {
        sqlx::query(QUARANTINE).bind(id).bind(reason).execute(&mut *transaction).await?;
    }
    sqlx::query(REMOVE).bind(through).execute(&mut *transaction).await?;
    transaction.commit().await
}

async fn limit_pages(connection: &mut SqliteConnection, pages: u64) -> sqlx::Result<()> {
    let limit = AssertSqlSafe(format!("PRAGMA max_page_count = {pages}"));
    sqlx::query(limit).persistent(false).execute(connection).await.map(|_| ())
}
