//! Where receipts, messages and refused bodies are kept: Postgres or SQLite, by the URL's scheme.
//!
//! Both hold the same tables and run the same statements wherever the dialects agree; `postgres` and `sqlite` hold what differs.
//! The folders go by what is asked of the store: `writing`, `questions`, `expiry`, `erasing`, and `spool`, the file that keeps
//! callbacks while the store fails. May import `domain` and `secret_url`.
//!
//! A caller that is told `Ok` by [`Writer::record`] or [`Spool::append`] may answer 200: it is on disk.

mod backend;
mod check;
mod clock;
mod config;
mod connections;
mod damage;
mod dialect;
mod erasing;
mod error;
mod every_statement;
mod expiry;
mod failure;
mod fields;
mod migration;
mod postgres;
mod questions;
mod receipt;
mod rejected;
mod row;
mod spool;
mod sql;
mod sqlite;
mod statements;
mod time;
mod trouble;
mod writing;

use std::{future::Future, time::Duration};

use tokio::time::timeout;

use backend::{Backend, on_readers, on_writer};
use dialect::Dialect;
use statements::BackendStatements;

use crate::domain::Clock;

pub use check::Checked;
pub use clock::{ClockFault, Clocks};
pub use config::{DatabaseConfig, Pooler};
pub use connections::Connections;
pub use erasing::erase::Erasing;
pub use erasing::erasure::{Erased, Erasure};
pub use erasing::recipient_erasing::{EraseError, ErasedRecipient, RecipientErasing};
pub use error::{BadDatabase, SpoolError, StoreError};
pub use every_statement::statements;
pub use expiry::keep::Keep;
pub use expiry::lease::Lease;
pub use expiry::retention::{Making, Partition, Strays, Swept};
pub use expiry::survey::Span;
pub use failure::{Failure, QuestionFailure};
pub use fields::EncodedField;
pub use questions::campaign::{CampaignOrder, CampaignPage, CampaignQuery};
pub use questions::filter::{MessageFilter, Window};
pub use questions::grouping::{GroupBy, GroupValue};
pub use questions::list::list_statement;
pub use questions::page::{BadCursor, Cursor, Page, PageRequest};
pub use questions::pending::PendingByAge;
pub use questions::stats::{Group, Groups, StatsRequest, TooManyGroups};
pub use receipt::StoredReceipt;
pub use rejected::{RejectedBody, StoredRejection};
pub use spool::file::{QuarantinedRequest, SpoolFile, SpoolStatus, SpooledRequest, Undrainable};
pub use spool::salvage::{Findings, Salvage};
pub use spool::{SetAside, Spool, SpoolCheck, check_spool};
pub use trouble::Trouble;
pub use writing::settling::Normaliser;
pub use writing::writer::{Dispute, Writer};

/// A store of either kind. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    backend: Backend,
    deadline: Duration,
    /// The system's: the database's own clock is asked. Another one stands in its place.
    clock: Clock,
}

impl Store {
    /// The store that `config` names, of which nothing is asked yet: no database has to be there.
    ///
    /// # Errors
    /// [`StoreError`] where the URL is not understood.
    pub fn open(config: &DatabaseConfig) -> Result<Self, StoreError> {
        config.check()?;
        let backend = match config.scheme()? {
            config::Scheme::Postgres => Backend::Postgres(postgres::Postgres::open(config)?),
            config::Scheme::Sqlite => Backend::Sqlite(sqlite::Sqlite::open(config)?),
        };
        Ok(Self { backend, deadline: config.timeout(), clock: Clock::System })
    }

    /// Asks the database whether it is there and can hold what it will be given. A SQLite file and its
    /// folder are made if missing.
    ///
    /// # Errors
    /// [`StoreError`] where it does not answer in time, cannot be opened, or cannot hold every text.
    pub async fn check(&self) -> Result<(), StoreError> {
        match &self.backend {
            Backend::Postgres(postgres) => postgres.check().await,
            Backend::Sqlite(sqlite) => sqlite.open_file().await,
        }
    }

    /// `postgres` or `sqlite`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self.backend {
            Backend::Postgres(_) => "postgres",
            Backend::Sqlite(_) => "sqlite",
        }
    }

    /// The statements of this database.
    fn statements(&self) -> &'static BackendStatements {
        match self.backend {
            Backend::Postgres(_) => &postgres::STATEMENTS,
            Backend::Sqlite(_) => &sqlite::STATEMENTS,
        }
    }

    fn dialect(&self) -> Dialect {
        match self.backend {
            Backend::Postgres(_) => Dialect::Postgres,
            Backend::Sqlite(_) => Dialect::Sqlite,
        }
    }

    /// Brings the schema up to date. Replicas that start together take turns, for some seconds. May be
    /// dropped at any time.
    ///
    /// # Errors
    /// [`StoreError`] where a migration fails, or one that was applied is not what it was.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        match &self.backend {
            Backend::Postgres(postgres) => postgres.migrate().await,
            Backend::Sqlite(sqlite) => sqlite.migrate().await,
        }
    }

    /// Asks the database for a sign of life.
    ///
    /// # Errors
    /// [`StoreError`] where it does not answer in time.
    pub async fn ping(&self) -> Result<(), StoreError> {
        on_readers!(self, pool => async { sqlx::query(sql::PING).execute(pool).await.map(|_| ()) })
    }

    /// Waits for what is under way and closes every connection.
    pub async fn close(&self) {
        match &self.backend {
            Backend::Postgres(postgres) => postgres.pool().close().await,
            Backend::Sqlite(sqlite) => sqlite.close().await,
        }
    }

    async fn in_time<T>(&self, query: impl Future<Output = sqlx::Result<T>>) -> Result<T, StoreError> {
        match timeout(self.deadline, query).await {
            Ok(result) => result.map_err(|error| {
                self.note(&error);
                error.into()
            }),
            Err(_) => Err(StoreError::TimedOut(self.deadline)),
        }
    }
}
