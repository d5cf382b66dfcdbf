//! The statements that SQLite spells in its own way.

use super::{
    campaign::CAMPAIGN,
    erase::ERASE,
    retention::{READ_CLOCK, TAKE_LEASE},
    settle::SETTLE,
};
use crate::storage::{sql::lookup, statements::BackendStatements};

pub(in crate::storage) const STATEMENTS: BackendStatements = BackendStatements {
    campaign: CAMPAIGN,
    erase: ERASE,
    settle: SETTLE,
    lookup: lookup!("value FROM json_each($1)"),
    take_lease: TAKE_LEASE,
    read_clock: READ_CLOCK,
};
