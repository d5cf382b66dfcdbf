//! Whether the store's file is as it was written: looked at when the service starts, by a command, and whenever
//! SQLite says so.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use super::Sqlite;
use crate::storage::damage::{Integrity, is_damage, look};

/// What was found damaged first. It stays until a start with a whole file.
#[derive(Clone, Debug, Default)]
pub(super) struct Damage(Arc<OnceLock<String>>);

const TABLES: &str =
    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name";

impl Sqlite {
    /// What is known to be damaged.
    pub fn damage(&self) -> Option<&str> {
        self.damage.0.get().map(String::as_str)
    }

    /// Takes note of an error that tells of damage. Logged here, once.
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

    /// Looks at the file for as long as `budget` allows. Returns whether it sufficed for all of it.
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

    /// Every table, to be looked at one by one; none where the list itself cannot be read.
    pub async fn tables(&self) -> sqlx::Result<Vec<String>> {
        sqlx::query_scalar(TABLES).fetch_all(self.readers()).await
    }

    /// Looks at all of a table and its indexes, or else at the file as a whole. Returns what is damaged.
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
