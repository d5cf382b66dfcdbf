//! Damage of the store's file: looked for at the start and by the command `check`, and noted whenever SQLite reports it.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use super::Sqlite;
use crate::storage::damage::{Integrity, is_damage, look};

/// The damage that was found first. It is remembered until the service is started with an undamaged file.
#[derive(Clone, Debug, Default)]
pub(super) struct Damage(Arc<OnceLock<String>>);

const TABLES: &str =
    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name";

impl Sqlite {
    /// The known damage.
    pub fn damage(&self) -> Option<&str> {
        self.damage.0.get().map(String::as_str)
    }

    /// Remembers an error that reveals damage, and logs it once.
    pub fn note(&self, error: &sqlx::Error) {
        if is_damage(error) {
            self.found(&error.to_string());
        }
    }

    fn found(&self, damage: &str) {
        let file = self.path().display();
        if self.damage.0.set(damage.to_owned()).is_ok() {
            tracing::error!(
                %file, damage,
                "the SQLite file of the store is damaged; run `dlr-receiver check`, and see \"A damaged file\" in \
                 docs/operations.md"
            );
        }
    }

    /// Checks the file for at most `budget`. Returns whether that was long enough for the whole file.
    pub async fn look(&self, budget: Duration) -> sqlx::Result<bool> {
        let mut connection = self.readers().acquire().await?;
        match look(&mut connection, "quick_check(1)", Some(budget)).await? {
            Integrity::Whole => Ok(true),
            Integrity::InPart => Ok(false),
            Integrity::Damaged(damage) => {
                self.found(&damage);
                Ok(true)
            }
        }
    }

    /// All tables; none where the list of tables cannot be read.
    pub async fn tables(&self) -> sqlx::Result<Vec<String>> {
        sqlx::query_scalar(TABLES).fetch_all(self.readers()).await
    }

    /// Checks a table with its indexes, or the whole file. Returns the damage.
    pub async fn check(&self, table: Option<&str>) -> sqlx::Result<Option<String>> {
        let mut connection = self.readers().acquire().await?;
        let pragma =
            table.map_or_else(|| "quick_check(1)".to_owned(), |table| format!("integrity_check('{table}')"));
        match look(&mut connection, &pragma, None).await? {
            Integrity::Damaged(damage) => Ok(Some(damage)),
            Integrity::Whole | Integrity::InPart => Ok(None),
        }
    }
}
