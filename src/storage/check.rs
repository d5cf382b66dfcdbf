//! Checks a store for damage: briefly at the start, completely for the command `check`.

use std::time::Duration;

use sqlx::{AssertSqlSafe, Executor, SqlSafeStr};

use crate::storage::{Backend, Store, StoreError, statements};

/// The result of checking a part of a store.
#[derive(Debug)]
pub struct Checked {
    /// The part.
    pub what: String,
    /// What is wrong; none where nothing is.
    pub wrong: Option<String>,
}

impl Store {
    /// The known damage of the SQLite file. None on Postgres, which has checks of its own.
    #[must_use]
    pub fn damage(&self) -> Option<&str> {
        match &self.backend {
            Backend::Postgres(_) => None,
            Backend::Sqlite(sqlite) => sqlite.damage(),
        }
    }

    /// Remembers damage that an error reveals.
    pub(super) fn note(&self, error: &sqlx::Error) {
        if let Backend::Sqlite(sqlite) = &self.backend {
            sqlite.note(error);
        }
    }

    /// Checks a SQLite file for at most `budget`, and logs what it finds.
    pub async fn look(&self, budget: Duration) {
        let Backend::Sqlite(sqlite) = &self.backend else { return };
        match sqlite.look(budget).await {
            Ok(true) => {}
            Ok(false) => tracing::info!(
                ?budget,
                "the SQLite file is large: not all of it was looked at for damage; `dlr-receiver check` does"
            ),
            Err(error) => tracing::warn!(%error, "the SQLite file could not be looked at for damage"),
        }
    }

    /// The parts for [`Self::check_part`], in the order in which to check them.
    ///
    /// # Errors
    /// [`StoreError`] where the database does not answer, or is too damaged to be read at all.
    pub async fn parts(&self) -> Result<Vec<String>, StoreError> {
        match &self.backend {
            Backend::Postgres(_) => Ok(vec!["statements".to_owned()]),
            Backend::Sqlite(sqlite) => {
                let mut tables = sqlite.tables().await?;
                tables.push(FILE.to_owned());
                Ok(tables)
            }
        }
    }

    /// Checks a whole part: on SQLite every page and index of a table, on Postgres whether the schema fits all our statements.
    ///
    /// # Errors
    /// [`StoreError`] where the database does not answer.
    pub async fn check_part(&self, part: &str) -> Result<Checked, StoreError> {
        let wrong = match &self.backend {
            Backend::Postgres(postgres) => {
                let mut session = postgres.reading().await?;
                let mut wrong = None;
                for statement in statements("postgres") {
                    let prepared = (&mut *session).prepare(AssertSqlSafe(statement).into_sql_str()).await;
                    if let Err(error) = prepared {
                        wrong = Some(format!("{error}; run `dlr-receiver migrate`"));
                        break;
                    }
                }
                wrong
            }
            Backend::Sqlite(sqlite) => sqlite.check(Some(part).filter(|part| *part != FILE)).await?,
        };
        Ok(Checked { what: part.to_owned(), wrong })
    }
}

/// The part that stands for the rest of a SQLite file: free pages, and pages of no table.
const FILE: &str = "file";
