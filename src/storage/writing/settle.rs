//! Settles a dispute about a message: receipts came by callback URLs that were signed for different recipients.
//!
//! The merging statement leaves a disputed message unchanged. Here one transaction locks the message, reads all its
//! receipts, and computes the message anew from stored and new receipts, by the rule that says which of them take part
//! (`domain::participation`).

use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use sqlx::FromRow;

use crate::domain::{DeliveryReceipt, Message};
use crate::storage::{
    Backend, Failure, Store, StoreError,
    fields::fields_json,
    on_readers,
    receipt::ReceiptRow,
    row::{MessageRow, bind_message, labels_json},
    sqlite,
    time::StoredTime,
    writing::settling::{LONGEST_HISTORY, Normaliser, Settling},
    writing::standing::{StandingRow, contested_among, sids_json},
};

#[derive(FromRow)]
struct LockedRow {
    id: i64,
    #[sqlx(flatten)]
    message: MessageRow,
}

/// Settles within a transaction. Returns how many receipts are excluded now that took part before, or are new. A macro,
/// since the transactions of the two databases are different types.
macro_rules! settle_in {
    ($transaction:expr, $sql:expr, $settling:expr) => {{
        let (mut transaction, sql, settling) = ($transaction, $sql, $settling);
        let fresh = Message::of_history(settling.receipts);
        let inserted =
            bind_message!(sqlx::query(sql.insert_message), &fresh).execute(&mut *transaction).await?;
        let locked = sqlx::query_as(sql.lock_message).bind(fresh.sid.as_str()).bind(fresh.account.as_str());
        let LockedRow { id, message }: LockedRow = locked.fetch_one(&mut *transaction).await?;
        let mut excluded = settling.excluded_of(&[]);
        if inserted.rows_affected() == 0 {
            let stored = Message::try_from(message).map_err(|error| sqlx::Error::Decode(error.into()))?;
            let rows: Vec<ReceiptRow> = sqlx::query_as(sql.history)
                .bind(id)
                .bind(StoredTime(stored.first_received_at))
                .bind(StoredTime(stored.last_received_at))
                .bind(i64::try_from(LONGEST_HISTORY + 1).unwrap_or(i64::MAX))
                .fetch_all(&mut *transaction)
                .await?;
            let history = settling.history(&stored, rows);
            excluded = settling.excluded_of(&history);
            let settled = settling.settled(&stored, &history);
            bind_message!(sqlx::query(sql.replace_message), &settled).execute(&mut *transaction).await?;
        }
        for receipt in settling.receipts {
            sqlx::query(sql.append_receipt)
                .bind(id)
                .bind(StoredTime(receipt.received_at))
                .bind(receipt.outcome.anomalies.of_request().bits())
                .bind(<&str>::from(receipt.source))
                .bind(receipt.signed_for.as_deref())
                .bind(labels_json(&receipt.outcome.labels))
                .bind(fields_json(&receipt.fields))
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        Ok(excluded)
    }};
}

impl Store {
    /// The messages of a batch that are disputed by what is stored, so that the merge left them unchanged.
    pub(in crate::storage) async fn contested<'m, 'r>(
        &self,
        messages: &'m [Message<'r>],
    ) -> Result<Vec<&'m Message<'r>>, StoreError> {
        let (statement, sids) = (self.statements().settle.standings, sids_json(messages));
        let stored: Vec<StandingRow> =
            on_readers!(self, pool => sqlx::query_as(statement).bind(sids).fetch_all(pool))?;
        Ok(contested_among(messages, &stored))
    }

    /// Records receipts of a disputed message and computes its outcome anew. Returns how many receipts are excluded now
    /// that took part before, or are new.
    pub(in crate::storage) async fn settle(
        &self,
        receipts: &[&DeliveryReceipt],
        normaliser: &Normaliser,
    ) -> Result<usize, StoreError> {
        let settling = Settling { receipts, normaliser };
        let pauses = ExponentialBuilder::new().with_min_delay(Duration::from_millis(2)).with_jitter();
        let contended = |error: &StoreError| error.failure() == Failure::Contention;
        (|| self.settle_once(&settling)).retry(pauses).when(contended).await
    }

    async fn settle_once(&self, settling: &Settling<'_>) -> Result<usize, StoreError> {
        let sql = &self.statements().settle;
        match &self.backend {
            Backend::Postgres(to) => {
                let settled = async { settle_in!(to.writing().await?, sql, settling) };
                Box::pin(self.in_time(settled)).await
            }
            Backend::Sqlite(to) => {
                let settled = async {
                    let mut connection = to.writer().acquire().await?;
                    let settled = async { settle_in!(sqlite::begin(&mut connection).await?, sql, settling) };
                    let settled = settled.await;
                    sqlite::give_back(connection, settled)
                };
                Box::pin(self.in_time(settled)).await
            }
        }
    }
}
