//! Forgetting a recipient: the number, the sender's text and the fields of the receipts go; what became of the
//! messages stays, and all counts with it. A few messages at a time, each in a transaction.

use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use sqlx::FromRow;

use super::{
    Backend, Failure, Store, StoreError,
    condition::Dialect,
    erase_sql::{EraseSql, RECEIPTS_OF},
    on_readers, on_writer, postgres,
    receipt::{fields_json, raw_fields},
    row::labels_json,
    sql, sqlite,
    time::StoredTime,
};
use crate::domain::{AccountName, ForgottenNumber, Labels};

/// Whose data is to go.
#[derive(Clone)]
pub struct Erasure {
    /// The number.
    pub number: ForgottenNumber,
    /// Only what this account's callbacks said; none: what all of them did.
    pub account: Option<AccountName>,
}

/// What a step has erased.
#[derive(Clone, Copy, Debug, Default)]
pub struct Erased {
    /// Messages that have no recipient any more.
    pub messages: u64,
    /// Their receipts.
    pub receipts: u64,
}

#[derive(FromRow)]
struct Found {
    id: i64,
    sid: String,
    account: String,
    first_received_at: StoredTime,
    last_received_at: StoredTime,
    labels: String,
}

#[derive(FromRow)]
struct FoundReceipt {
    id: i64,
    received_at: StoredTime,
    labels: String,
    fields: String,
}

/// Erases what a statement finds, in a transaction.
macro_rules! erase_found {
    ($transaction:expr, $sql:expr, $find:expr, $wanted:expr, $erasure:expr) => {{
        let (mut transaction, erasure) = ($transaction, $erasure);
        let find =
            sqlx::query_as($find).bind($wanted).bind(erasure.account.as_ref().map(AccountName::as_str));
        let messages: Vec<Found> = find.fetch_all(&mut *transaction).await?;
        let mut receipts = 0;
        for message in &messages {
            let theirs = sqlx::query_as(RECEIPTS_OF)
                .bind(message.id)
                .bind(message.first_received_at)
                .bind(message.last_received_at);
            let theirs: Vec<FoundReceipt> = theirs.fetch_all(&mut *transaction).await?;
            for receipt in theirs {
                sqlx::query($sql.update_receipt)
                    .bind(erasure.labels(&receipt.labels)?)
                    .bind(erasure.fields(&receipt.fields)?)
                    .bind(message.id)
                    .bind(receipt.received_at)
                    .bind(receipt.id)
                    .execute(&mut *transaction)
                    .await?;
                receipts += 1;
            }
            sqlx::query($sql.update_message)
                .bind(erasure.labels(&message.labels)?)
                .bind(&message.sid)
                .bind(&message.account)
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        Ok(Erased { messages: messages.len() as u64, receipts })
    }};
}

impl Erasure {
    /// Labels without those that name the number.
    fn labels(&self, json: &str) -> sqlx::Result<String> {
        let mut labels: Labels = serde_json::from_str(json).map_err(unreadable)?;
        labels.forget(|value| self.number.is_in(value.as_bytes()));
        Ok(labels_json(&labels).into_owned())
    }

    /// Of a receipt's fields, what may stay.
    fn fields(&self, json: &str) -> sqlx::Result<String> {
        let fields = raw_fields(&serde_json::from_str(json).map_err(unreadable)?);
        Ok(fields_json(&self.number.remainder(fields)))
    }
}

fn unreadable(error: serde_json::Error) -> sqlx::Error {
    sqlx::Error::Decode(error.into())
}

impl Store {
    /// Erases the data of some messages to a number. Nothing is left once it has erased none.
    ///
    /// # Errors
    /// [`StoreError`]: nothing is erased of these.
    pub async fn erase_messages(&self, erasure: &Erasure) -> Result<Erased, StoreError> {
        let pauses = ExponentialBuilder::new().with_min_delay(Duration::from_millis(20)).with_jitter();
        let contended = |error: &StoreError| error.failure() == Failure::Contention;
        (|| self.erase_some(erasure)).retry(pauses).when(contended).await
    }

    async fn erase_some(&self, erasure: &Erasure) -> Result<Erased, StoreError> {
        let sql = match self.dialect() {
            Dialect::Postgres => &postgres::ERASE,
            Dialect::Sqlite => &sqlite::ERASE,
        };
        let number = erasure.number.e164().to_owned();
        let erased = self.erase_found((sql, sql.to_number), number, erasure).await?;
        if erased.messages > 0 {
            return Ok(erased);
        }
        let like = format!("%{}%", erasure.number.national());
        self.erase_found((sql, sql.to_several), like, erasure).await
    }

    async fn erase_found(
        &self,
        (sql, find): (&EraseSql, &'static str),
        wanted: String,
        erasure: &Erasure,
    ) -> Result<Erased, StoreError> {
        match &self.backend {
            Backend::Postgres(to) => {
                let erased = async { erase_found!(to.writing().await?, sql, find, wanted, erasure) };
                Box::pin(self.in_time(erased)).await
            }
            Backend::Sqlite(to) => {
                let erased = async {
                    let mut connection = to.writer().acquire().await?;
                    let erased = async {
                        erase_found!(sqlite::begin(&mut connection).await?, sql, find, wanted, erasure)
                    };
                    let erased = erased.await;
                    sqlite::give_back(connection, erased)
                };
                Box::pin(self.in_time(erased)).await
            }
        }
    }

    /// Deletes, of some refused bodies after a place, those that name the number.
    /// Returns how many, and where to go on; none at the end.
    ///
    /// # Errors
    /// [`StoreError`] where the database does not answer.
    pub async fn erase_rejected(
        &self,
        erasure: &Erasure,
        after: i64,
    ) -> Result<(u64, Option<i64>), StoreError> {
        let account = erasure.account.as_ref().map(AccountName::as_str);
        let bodies: Vec<(i64, String, Vec<u8>)> = on_readers!(self, pool => sqlx::query_as(sql::REJECTED_AFTER)
            .bind(after)
            .bind(account)
            .fetch_all(pool))?;
        let next = bodies.last().map(|(id, ..)| *id);
        let named = |(_, reason, body): &&(i64, String, Vec<u8>)| {
            erasure.number.is_in(body) || erasure.number.is_in(reason.as_bytes())
        };
        let ids: Vec<i64> = bodies.iter().filter(named).map(|(id, ..)| *id).collect();
        for id in &ids {
            on_writer!(self, sqlx::query(sql::DELETE_REJECTED).bind(id))?;
        }
        Ok((ids.len() as u64, next))
    }
}
