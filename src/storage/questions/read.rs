//! Questions, written once for both backends.

use crate::domain::{AccountName, Message};
use crate::storage::{
    Cursor, Page, PageRequest, Store, StoreError, StoredReceipt, on_readers, receipt::ReceiptRow,
    row::MessageRow, sql, time::StoredTime,
};

impl Store {
    /// The messages that have this sid: none or one, unless several accounts' callbacks named it.
    ///
    /// # Errors
    /// [`StoreError`] where the database cannot answer.
    pub async fn messages(&self, sid: &str) -> Result<Vec<Message<'static>>, StoreError> {
        let rows: Vec<MessageRow> =
            on_readers!(self, pool => sqlx::query_as(sql::MESSAGES_BY_SID).bind(sid).fetch_all(pool))?;
        rows.into_iter().map(Message::try_from).collect()
    }

    /// The receipts of a message, oldest first.
    ///
    /// # Errors
    /// [`StoreError`] where the database cannot answer.
    pub async fn receipts(
        &self,
        sid: &str,
        account: &AccountName,
        page: PageRequest,
    ) -> Result<Page<StoredReceipt>, StoreError> {
        let after = page.after.unwrap_or(Cursor { micros: 0, id: 0 });
        let after_time = StoredTime(after.time());
        let rows: Vec<ReceiptRow> = on_readers!(self, pool => sqlx::query_as(sql::RECEIPTS_AFTER)
            .bind(sid)
            .bind(account.as_str())
            .bind(after_time)
            .bind(after.id)
            .bind(i64::from(page.limit) + 1)
            .fetch_all(pool))?;
        let place = |row: &ReceiptRow| Cursor::new(row.received_at.0, row.id);
        let Page { items, next } = Page::cut(rows, page.limit, place);
        let items = items.into_iter().map(StoredReceipt::try_from);
        Ok(Page { items: items.collect::<Result<_, _>>()?, next })
    }
}
