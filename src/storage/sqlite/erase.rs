//! The statements that forget a recipient, as SQLite spells them.

use crate::storage::erase_sql::{EraseSql, erase_sql};

pub(in crate::storage) const ERASE: EraseSql = erase_sql!("", "", "");
