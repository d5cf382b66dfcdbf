//! The statements that settle a dispute about a message, as Postgres spells them.

use crate::storage::writing::settle_sql::{SettleSql, settle_sql};

pub(super) const SETTLE: SettleSql =
    settle_sql!("json_array_elements_text($1::json)", " FOR UPDATE", "::text::jsonb", "::text::json");
