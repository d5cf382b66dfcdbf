//! Deletes drained callbacks from the spool, and moves those that can never be drained to its quarantine.

use sqlx::{AssertSqlSafe, SqliteConnection};

use super::{
    QuarantinedRequest, SpoolFile, Undrainable,
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
    concat!("INSERT INTO quarantined (", columns!(), ", reason) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
/// A small page, since callbacks wait for the connection meanwhile.
pub(super) const QUARANTINED: &str = "SELECT id, query, body, signed_for FROM quarantined \
    WHERE id > $1 AND ($2 IS NULL OR account = $2) ORDER BY id LIMIT 50";
pub(super) const LAST_QUARANTINED: &str = "SELECT COALESCE(max(id), 0) FROM quarantined";
pub(super) const FORGET: &str = "DELETE FROM quarantined WHERE id = $1";

/// SQLite's own limit of pages.
const MOST_PAGES: u64 = 4_294_967_294;

impl SpoolFile {
    /// Deletes callbacks up to the id `through`. Those that can never be drained go to the quarantine, with the reason.
    ///
    /// # Errors
    /// [`SpoolError`]: all of them are still there.
    pub async fn remove(&self, through: i64, undrainable: &[Undrainable]) -> Result<(), SpoolError> {
        let mut connection = self.pool.acquire().await.map_err(failed)?;
        // A quarantined row is larger, by the reason, and a full spool has no room for it.
        limit_pages(&mut connection, MOST_PAGES).await.map_err(failed)?;
        let removed = remove(&mut connection, through, undrainable).await;
        limit_pages(&mut connection, self.cap).await.map_err(failed)?;
        give_back(connection, removed).map_err(failed)
    }
}

impl SpoolFile {
    /// Adds callbacks to the quarantine.
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

    /// The place of the last callback that was set aside.
    ///
    /// # Errors
    /// [`SpoolError`] where the file cannot be read.
    pub async fn last_quarantined(&self) -> Result<i64, SpoolError> {
        sqlx::query_scalar(LAST_QUARANTINED).fetch_one(&self.pool).await.map_err(failed)
    }

    /// Deletes, of some that were set aside after a place, those that name a recipient. Returns how many, and where to
    /// go on; none at the end.
    ///
    /// # Errors
    /// [`SpoolError`] where the file cannot be read or written.
    pub async fn erase_quarantined(
        &self,
        erasure: &Erasure,
        after: i64,
    ) -> Result<(u64, Option<i64>), SpoolError> {
        let account = erasure.account.as_ref().map(AccountName::as_str);
        let rows = sqlx::query_as(QUARANTINED).bind(after).bind(account);
        let rows: Vec<(i64, String, Vec<u8>, Option<String>)> =
            rows.fetch_all(&self.pool).await.map_err(failed)?;
        let is_named = |(_, query, body, signed_for): &&(i64, String, Vec<u8>, Option<String>)| {
            let signed_for = signed_for.as_deref().unwrap_or_default();
            [query.as_bytes(), body, signed_for.as_bytes()].iter().any(|text| erasure.recipient.is_in(text))
        };
        let named: Vec<i64> = rows.iter().filter(is_named).map(|(id, ..)| *id).collect();
        if !named.is_empty() {
            let mut connection = self.pool.acquire().await.map_err(failed)?;
            let forgotten = forget(&mut connection, &named).await;
            give_back(connection, forgotten).map_err(failed)?;
        }
        Ok((named.len() as u64, rows.last().map(|(id, ..)| *id)))
    }
}

/// All at once: each commit waits for the disk.
async fn forget(connection: &mut SqliteConnection, ids: &[i64]) -> sqlx::Result<()> {
    let mut transaction = begin(connection).await?;
    for id in ids {
        sqlx::query(FORGET).bind(id).execute(&mut *transaction).await?;
    }
    transaction.commit().await
}

async fn remove(
    connection: &mut SqliteConnection,
    through: i64,
    undrainable: &[Undrainable],
) -> sqlx::Result<()> {
    let mut transaction = begin(connection).await?;
    for Undrainable { id, reason } in undrainable {
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
