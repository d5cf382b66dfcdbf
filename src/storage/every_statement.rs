//! Every statement of each backend, for the test that prepares them all.

use crate::storage::{
    clock, erasing::erase_sql, expiry::lease, expiry::survey, postgres, questions::pending, spool::file, sql,
    sqlite,
};

/// Every statement of each backend, for the test that prepares them all on a migrated database.
#[must_use]
pub fn statements(kind: &str) -> Vec<&'static str> {
    match kind {
        "spool" => file::STATEMENTS.to_vec(),
        "postgres" => [&postgres::statements()[..], &postgres::STATEMENTS.all(), &SHARED].concat(),
        _ => [&sqlite::statements()[..], &sqlite::STATEMENTS.all(), &SHARED].concat(),
    }
}

/// Those that both databases understand.
const SHARED: [&str; 19] = [
    sql::PING,
    sql::MESSAGES_BY_SID,
    sql::RECEIPTS_AFTER,
    sql::INSERT_REJECTED,
    sql::PRUNE_REJECTED,
    sql::NEWEST_REJECTED,
    sql::PURGE_REJECTED,
    sql::REJECTED_BEFORE,
    sql::OLD_REJECTED,
    sql::REJECTED_AFTER,
    sql::LAST_REJECTED,
    sql::DELETE_REJECTED,
    erase_sql::NEWEST_MESSAGE,
    clock::SEE,
    clock::TRUST,
    lease::RELEASE,
    survey::OLD_MESSAGES,
    survey::OLD_MESSAGES_RECEIPTS,
    pending::PENDING,
];
