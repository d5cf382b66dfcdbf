//! Taking out of the spool what has been drained, and setting aside what never can be.

use futures_util::TryStreamExt;
use sqlx::{AssertSqlSafe, SqliteConnection};

use super::{
    QuarantinedRequest, SpoolFile,
    failure::failed,
    request::{bound, columns},
};
use crate::{
    domain::AccountName,
    storage::{
        Erasure, SpoolError,
        sqlite::{begin, give_back},
    },
};

pub(super) const REMOVE: &str = "DELETE FROM spooled WHERE id <= $1";
pub(super) const QUARANTINE: &str = concat!(
    "INSERT INTO quarantined (",
    columns!(),
    ", reason) SELECT ",
    columns!(),
    ", $2 FROM spooled WHERE id = $1"
);
/// Binds the columns of a callback, then the reason.
pub(super) const ADD_QUARANTINED: &str =
    concat!("INSERT INTO quarantined (", columns!(), ", reason) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)");
pub(super) const QUARANTINED: &str = "SELECT id, query, body, signed_for FROM quarantined \
    WHERE $1 IS NULL OR account = $1 ORDER BY id";
pub(super) const FORGET: &str = "DELETE FROM quarantined WHERE id = $1";

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

impl SpoolFile {
    /// Adds to those that can never be drained.
    ///
    /// # Errors
    /// [`SpoolError`]: none of them is kept.
    pub async fn add_quarantined(&self, requests: &[QuarantinedRequest]) -> Result<(), SpoolError> {
        let mut connection = self.pool.acquire().await.map_err(failed)?;
        // They had room in the file that they come from.
        limit_pages(&mut connection, MOST_PAGES).await.map_err(failed)?;
        let added = add(&mut connection, requests).await;
        limit_pages(&mut connection, self.cap).await.map_err(failed)?;
        give_back(connection, added).map_err(failed)
    }

    /// Deletes those that were set aside and name a number. Returns how many.
    ///
    /// # Errors
    /// [`SpoolError`] where the file cannot be read or written.
    pub async fn erase_quarantined(&self, erasure: &Erasure) -> Result<u64, SpoolError> {
        let account = erasure.account.as_ref().map(AccountName::as_str);
        let mut rows = sqlx::query_as(QUARANTINED).bind(account).fetch(&self.pool);
        let mut named = Vec::new();
        while let Some(row) = rows.try_next().await.map_err(failed)? {
            let (id, query, body, signed_for): (i64, String, Vec<u8>, Option<String>) = row;
            let signed_for = signed_for.unwrap_or_default();
            if [query.as_bytes(), &body, signed_for.as_bytes()].iter().any(|text| erasure.number.is_in(text))
            {
                named.push(id);
            }
        }
        drop(rows);
        for id in &named {
            sqlx::query(FORGET).bind(id).execute(&self.pool).await.map_err(failed)?;
        }
        Ok(named.len() as u64)
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

async fn add(connection: &mut SqliteConnection, requests: &[QuarantinedRequest]) -> sqlx::Result<()> {
    let mut transaction = begin(connection).await?;
    for QuarantinedRequest { request, reason } in requests {
        bound(sqlx::query(ADD_QUARANTINED), request).bind(reason).execute(&mut *transaction).await?;
    }
    transaction.commit().await
}

async fn limit_pages(connection: &mut SqliteConnection, pages: u64) -> sqlx::Result<()> {
    let limit = AssertSqlSafe(format!("PRAGMA max_page_count = {pages}"));
    sqlx::query(limit).persistent(false).execute(connection).await.map(|_| ())
}
