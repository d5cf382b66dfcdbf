//! The statements that forget a recipient, as Postgres spells them.

use crate::storage::erase_sql::{EraseSql, erase_sql};

pub(in crate::storage) const ERASE: EraseSql = erase_sql!(" FOR UPDATE", "::text::jsonb", "::text::json");
