//! Lists of messages, newest first, and look-ups by several sids.

use sqlx::{AssertSqlSafe, FromRow};

use crate::domain::Message;
use crate::storage::{
    Cursor, MessageFilter, Page, PageRequest, Store, StoreError,
    dialect::Dialect,
    on_readers,
    questions::condition::{Argument, Condition},
    row::MessageRow,
    sql,
    time::StoredTime,
};

/// A row of a list: a message and its id, which its cursor is made of.
#[derive(FromRow)]
struct ListedRow {
    id: i64,
    #[sqlx(flatten)]
    message: MessageRow,
}

/// Binds the arguments of a condition. A macro, since the queries of the two databases are different types.
macro_rules! bind_all {
    ($query:expr, $arguments:expr) => {
        $arguments.into_iter().fold($query, |query, argument| match argument {
            Argument::Text(text) => query.bind(text),
            Argument::Number(number) => query.bind(number),
            Argument::Time(time) => query.bind(StoredTime(time)),
        })
    };
}
pub(in crate::storage) use bind_all;

/// The statement of a list, for the test that checks its query plan.
#[must_use]
pub fn list_statement(kind: &str, filter: &MessageFilter) -> String {
    let dialect = if kind == "postgres" { Dialect::Postgres } else { Dialect::Sqlite };
    list(Condition::of(filter, dialect), None, 50).0
}

/// The statement of a page, and its values.
fn list(mut condition: Condition, after: Option<Cursor>, limit: u16) -> (String, Vec<Argument>) {
    if let Some(after) = after {
        let (time, id) = (Argument::Time(after.time()), Argument::Number(after.id));
        let place = format!("({}, {})", condition.bind(time), condition.bind(id));
        condition.and(&format!("(first_received_at, id) < {place}"));
    }
    // One row more than the limit shows whether there is a next page.
    let limit = condition.bind(Argument::Number(i64::from(limit) + 1));
    let Condition { sql, arguments, .. } = condition;
    let messages = sql::MESSAGES;
    (format!("{messages} WHERE {sql} ORDER BY first_received_at DESC, id DESC LIMIT {limit}"), arguments)
}

impl Store {
    /// Whether an index finds a page of the filter's messages; otherwise most of the table may be read.
    #[must_use]
    pub fn finds_by_index(&self, filter: &MessageFilter) -> bool {
        filter.is_found_by_index(self.dialect())
    }

    /// The messages that `filter` asks for, the one that was received last first.
    ///
    /// # Errors
    /// [`StoreError`] where the database cannot answer.
    pub async fn list(
        &self,
        filter: &MessageFilter,
        page: PageRequest,
    ) -> Result<Page<Message<'static>>, StoreError> {
        let (statement, arguments) = list(Condition::of(filter, self.dialect()), page.after, page.limit);
        // Not prepared, so that it is planned for its values: the best index for a rare value is another one than for a
        // common one.
        let rows: Vec<ListedRow> = on_readers!(self, pool => {
            bind_all!(sqlx::query_as(AssertSqlSafe(statement)).persistent(false), arguments).fetch_all(pool)
        })?;
        let place = |row: &ListedRow| Cursor::new(row.message.first_received_at.0, row.id);
        let Page { items, next } = Page::cut(rows, page.limit, place);
        let items = items.into_iter().map(|row| row.message.try_into());
        Ok(Page { items: items.collect::<Result<_, _>>()?, next })
    }

    /// Counts the filter's messages, up to `most`.
    ///
    /// # Errors
    /// [`StoreError`] where the database cannot answer.
    pub async fn count(&self, filter: &MessageFilter, most: u32) -> Result<i64, StoreError> {
        let mut condition = Condition::of(filter, self.dialect());
        let most = condition.bind(Argument::Number(most.into()));
        let Condition { sql, arguments, .. } = condition;
        let statement =
            format!("SELECT count(*) FROM (SELECT 1 FROM messages WHERE {sql} LIMIT {most}) AS counted");
        let (counted,): (i64,) = on_readers!(self, pool => {
            bind_all!(sqlx::query_as(AssertSqlSafe(statement)).persistent(false), arguments).fetch_one(pool)
        })?;
        Ok(counted)
    }

    /// The messages that have any of these sids, in the order of their sids.
    ///
    /// # Errors
    /// [`StoreError`] where the database cannot answer.
    pub async fn lookup(&self, sids: &[String]) -> Result<Vec<Message<'static>>, StoreError> {
        let sids = serde_json::Value::from(sids).to_string();
        let lookup = self.statements().lookup;
        let rows: Vec<MessageRow> =
            on_readers!(self, pool => sqlx::query_as(lookup).bind(sids).fetch_all(pool))?;
        rows.into_iter().map(Message::try_from).collect()
    }
}
