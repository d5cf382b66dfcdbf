//! The statements that Postgres spells in its own way.

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
    lookup: lookup!("json_array_elements_text($1::json)"),
    take_lease: TAKE_LEASE,
    read_clock: READ_CLOCK,
};
