//! The statements that settle a dispute about a message, as SQLite spells them.

use crate::storage::writing::settle_sql::{SettleSql, settle_sql};

pub(super) const SETTLE: SettleSql = settle_sql!("value FROM json_each($1)", "", "", "");

/// The standings of stored messages, for the transaction that records a batch.
pub(super) const STANDINGS: &str = SETTLE.standings;
