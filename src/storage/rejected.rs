//! The log of refused bodies: bounded by count and age, newest first.

use sqlx::FromRow;

use crate::domain::{AccountName, Time};
use crate::storage::{
    Backend, Cursor, Keep, Page, PageRequest, Store, StoreError, on_readers, sql, sqlite, time::StoredTime,
};

/// A body that was refused, and why.
#[derive(Clone, Debug)]
pub struct RejectedBody<'a> {
    /// When it came.
    pub received_at: Time,
    /// Whose URL was called.
    pub account: &'a AccountName,
    /// What it said it was.
    pub content_type: Option<&'a str>,
    /// What was wrong with it.
    pub reason: &'a str,
    /// Its bytes.
    pub body: &'a [u8],
}

/// A refused body as the log keeps it.
#[derive(Clone, Debug)]
pub struct StoredRejection {
    /// Its place in the log.
    pub id: i64,
    /// When it came.
    pub received_at: Time,
    /// Whose URL was called.
    pub account: String,
    /// What it said it was.
    pub content_type: Option<String>,
    /// What was wrong with it.
    pub reason: String,
    /// Its bytes.
    pub body: Vec<u8>,
}

#[derive(FromRow)]
struct RejectedRow {
    id: i64,
    received_at: StoredTime,
    account: String,
    content_type: Option<String>,
    reason: String,
    body: Vec<u8>,
}

impl From<RejectedRow> for StoredRejection {
    fn from(row: RejectedRow) -> Self {
        let RejectedRow { id, received_at, account, content_type, reason, body } = row;
        Self { id, received_at: received_at.0, account, content_type, reason, body }
    }
}

/// Writes within a transaction. A macro, since the transactions of the two databases are different types.
macro_rules! write_rejected {
    ($transaction:expr, $rejected:expr, $keep:expr, $oldest:expr) => {{
        let mut transaction = $transaction;
        let id: i64 = sqlx::query_scalar(sql::INSERT_REJECTED)
            .bind(StoredTime($rejected.received_at))
            .bind($rejected.account.as_str())
            .bind($rejected.content_type)
            .bind($rejected.reason)
            .bind($rejected.body)
            .fetch_one(&mut *transaction)
            .await?;
        // Ids ascend, so the newest `count` are those above this one.
        sqlx::query(sql::PRUNE_REJECTED)
            .bind(id - i64::from($keep.count))
            .bind(StoredTime($oldest))
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await
    }};
}

impl Store {
    /// Stores a refused body and deletes those that are too many or too old. Age goes by the database's clock, since the
    /// machine's clock, which dated the body, may be wrong.
    ///
    /// # Errors
    /// [`StoreError`] where the database does not take it.
    pub async fn reject(&self, rejected: &RejectedBody<'_>, keep: Keep) -> Result<(), StoreError> {
        let oldest = keep.oldest(self.database_time().await?.without_leap());
        match &self.backend {
            Backend::Postgres(to) => {
                self.in_time(async { write_rejected!(to.writing().await?, rejected, keep, oldest) }).await
            }
            Backend::Sqlite(to) => {
                let written = async {
                    let mut connection = to.writer().acquire().await?;
                    let written = async {
                        write_rejected!(sqlite::begin(&mut connection).await?, rejected, keep, oldest)
                    }
                    .await;
                    sqlite::give_back(connection, written)
                };
                self.in_time(written).await
            }
        }
    }

    /// Refused bodies that are not too old at `now`, newest first.
    ///
    /// # Errors
    /// [`StoreError`] where the database cannot answer.
    pub async fn rejected(
        &self,
        page: PageRequest,
        now: Time,
        keep: Keep,
    ) -> Result<Page<StoredRejection>, StoreError> {
        let rows: Vec<RejectedRow> = on_readers!(self, pool => sqlx::query_as(sql::REJECTED_BEFORE)
            .bind(page.after.map_or(i64::MAX, |after| after.id))
            .bind(StoredTime(keep.oldest(now)))
            .bind(i64::from(page.limit) + 1)
            .fetch_all(pool))?;
        let Page { items, next } = Page::cut(rows, page.limit, |row| Cursor { micros: 0, id: row.id });
        Ok(Page { items: items.into_iter().map(Into::into).collect(), next })
    }
}
