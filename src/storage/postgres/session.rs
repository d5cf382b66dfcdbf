//! A connection of the pool for one question or one small change. Behind a pooler it is a transaction, which stays on one session
//! of the server, and its statements are unnamed: another client may have prepared a statement of the same name there.

use std::ops::{Deref, DerefMut};

use futures_util::{future::BoxFuture, stream::BoxStream};
use sqlx::{
    AssertSqlSafe, Describe, Either, Error, Execute, Executor, Postgres as Db, SqlSafeStr, SqlStr,
    Transaction,
    error::BoxDynError,
    pool::PoolConnection,
    postgres::{PgArguments, PgConnection, PgPool, PgQueryResult, PgRow, PgStatement, PgTypeInfo},
};

/// The statement that begins a transaction behind a pooler, with the settings that a session of our own would keep.
#[derive(Clone, Debug)]
pub(in crate::storage) struct Begin(SqlStr);

impl Begin {
    /// With settings, as `name = value`; one round trip in all.
    pub fn with(settings: &[String]) -> Self {
        let settings = settings.iter().map(|setting| format!("; SET LOCAL {setting}"));
        let statement = format!("BEGIN{}", settings.collect::<String>());
        Self(AssertSqlSafe(statement).into_sql_str())
    }

    /// The statement, as the driver takes it.
    pub fn statement(&self) -> SqlStr {
        self.0.clone()
    }
}

/// A connection of the pool. Uncommitted changes are rolled back when it is dropped. Statements run on what it dereferences to,
/// as with the driver's own transactions.
#[derive(Debug)]
pub(in crate::storage) struct Session(Statements);

/// Runs statements, as named prepared statements where that is safe.
#[derive(Debug)]
pub(in crate::storage) struct Statements {
    held: Held,
    named: bool,
}

#[derive(Debug)]
enum Held {
    Connection(PoolConnection<Db>),
    Transaction(Transaction<'static, Db>),
}

impl Session {
    /// A session for reading; behind a pooler a transaction that `pooled` begins. The future of connecting is boxed, since it is
    /// larger than all that surrounds it.
    pub(super) async fn reading(pool: &PgPool, pooled: Option<&Begin>) -> sqlx::Result<Self> {
        if pooled.is_some() {
            return Self::writing(pool, pooled).await;
        }
        let held = Held::Connection(Box::pin(pool.acquire()).await?);
        Ok(Self(Statements { held, named: true }))
    }

    /// A transaction for writing.
    pub(super) async fn writing(pool: &PgPool, pooled: Option<&Begin>) -> sqlx::Result<Self> {
        let transaction = match pooled {
            Some(begin) => Box::pin(pool.begin_with(begin.statement())).await?,
            None => Box::pin(pool.begin()).await?,
        };
        Ok(Self(Statements { held: Held::Transaction(transaction), named: pooled.is_none() }))
    }

    /// Commits. Once it returns `Ok`, the changes are on disk.
    pub async fn commit(self) -> sqlx::Result<()> {
        match self.0.held {
            Held::Connection(_) => Ok(()),
            Held::Transaction(transaction) => transaction.commit().await,
        }
    }
}

impl Deref for Session {
    type Target = Statements;

    fn deref(&self) -> &Statements {
        &self.0
    }
}

impl DerefMut for Session {
    fn deref_mut(&mut self) -> &mut Statements {
        &mut self.0
    }
}

impl Statements {
    fn connection(&mut self) -> &mut PgConnection {
        match &mut self.held {
            Held::Connection(connection) => connection,
            Held::Transaction(transaction) => transaction,
        }
    }
}

/// A statement that is named only where the session is our own.
struct Named<E> {
    statement: E,
    named: bool,
}

impl<'q, E: Execute<'q, Db>> Execute<'q, Db> for Named<E> {
    fn sql(self) -> SqlStr {
        self.statement.sql()
    }

    fn statement(&self) -> Option<&PgStatement> {
        self.statement.statement()
    }

    fn take_arguments(&mut self) -> Result<Option<PgArguments>, BoxDynError> {
        self.statement.take_arguments()
    }

    fn persistent(&self) -> bool {
        self.named && self.statement.persistent()
    }
}

impl<'c> Executor<'c> for &'c mut Statements {
    type Database = Db;

    fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> BoxStream<'e, Result<Either<PgQueryResult, PgRow>, Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Db>,
    {
        let statement = Named { statement: query, named: self.named };
        self.connection().fetch_many(statement)
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<Option<PgRow>, Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Db>,
    {
        let statement = Named { statement: query, named: self.named };
        self.connection().fetch_optional(statement)
    }

    fn prepare_with<'e>(
        self,
        sql: SqlStr,
        parameters: &'e [PgTypeInfo],
    ) -> BoxFuture<'e, Result<PgStatement, Error>>
    where
        'c: 'e,
    {
        self.connection().prepare_with(sql, parameters)
    }

    fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, Result<Describe<Db>, Error>>
    where
        'c: 'e,
    {
        self.connection().describe(sql)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_made_in_the_same_round_trip() {
        let begin = Begin::with(&["statement_timeout = 3000".into(), "jit = off".into()]);
        assert_eq!(
            begin.statement().as_str(),
            "BEGIN; SET LOCAL statement_timeout = 3000; SET LOCAL jit = off"
        );
    }
}
