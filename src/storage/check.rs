//! Whether a store is as it should be: for the start, and for the command that looks at all of it.

use std::time::Duration;

use sqlx::{AssertSqlSafe, Executor, SqlSafeStr};

use super::{Backend, Store, StoreError, statements};

/// What looking at a part of a store has found.
#[derive(Debug)]
pub struct Checked {
    /// Which part.
    pub what: String,
    /// What is wrong with it; none where it is as it should be.
    pub wrong: Option<String>,
}

impl Store {
    /// What of the SQLite file is known to be damaged; nothing of Postgres, which says so itself.
    #[must_use]
    pub fn damage(&self) -> Option<&str> {
        match &self.backend {
            Backend::Postgres(_) => None,
            Backend::Sqlite(sqlite) => sqlite.damage(),
        }
    }

    /// Takes note of an error that tells of damage.
    pub(super) fn note(&self, error: &sqlx::Error) {
        if let Backend::Sqlite(sqlite) = &self.backend {
            sqlite.note(error);
        }
    }

    /// Looks for damage in a SQLite file, for as long as `budget` allows; says what it finds in the log.
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

    /// The parts to give to [`Self::check_part`], in the order in which to look at them.
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

    /// Looks at all of a part: of SQLite, every page and index of a table; of Postgres, whether the schema is
    /// the one that every statement of ours needs.
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

/// The file of a SQLite store, as a whole: free pages, and those of no table.
const FILE: &str = "file";
