//! The two kinds of database, and how a statement that is written once runs in either.

use crate::storage::{postgres, sqlite};

/// Which of the two databases it is.
#[derive(Clone, Debug)]
pub(super) enum Backend {
    Postgres(postgres::Postgres),
    Sqlite(sqlite::Sqlite),
}

/// Runs a query on a connection for reading, on either database. A macro, since their connections are different types.
macro_rules! on_readers {
    ($store:expr, $pool:ident => $query:expr) => {
        match &$store.backend {
            crate::storage::backend::Backend::Postgres(postgres) => {
                let asked = async {
                    let mut session = postgres.reading().await?;
                    let $pool = &mut *session;
                    $query.await
                };
                $store.in_time(asked).await
            }
            crate::storage::backend::Backend::Sqlite(sqlite) => {
                let $pool = sqlite.readers();
                $store.in_time($query).await
            }
        }
    };
}
pub(super) use on_readers;

/// Runs a statement that changes rows, on either database. Returns how many.
macro_rules! on_writer {
    ($store:expr, $statement:expr) => {
        match &$store.backend {
            crate::storage::backend::Backend::Postgres(postgres) => {
                let changed = async {
                    let mut session = postgres.writing().await?;
                    let changed = $statement.execute(&mut *session).await?.rows_affected();
                    session.commit().await?;
                    Ok(changed)
                };
                $store.in_time(changed).await
            }
            crate::storage::backend::Backend::Sqlite(sqlite) => {
                let changed = async { Ok($statement.execute(sqlite.writer()).await?.rows_affected()) };
                $store.in_time(changed).await
            }
        }
    };
}
pub(super) use on_writer;
