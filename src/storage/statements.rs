//! Every statement, in one list.

use super::{pending, postgres, spool_file, sql, sqlite};

/// Every statement of each backend, for the test that prepares them all on a migrated database.
#[must_use]
pub fn statements(kind: &str) -> Vec<&'static str> {
    match kind {
        "spool" => spool_file::STATEMENTS.to_vec(),
        "postgres" => {
            let own = [
                &postgres::statements()[..],
                &postgres::CAMPAIGN.all(),
                &postgres::ERASE.all(),
                &postgres::SETTLE.all(),
            ]
            .concat();
            [&own[..], &sql::SHARED, &[pending::PENDING]].concat()
        }
        _ => {
            let own = [
                &sqlite::statements()[..],
                &sqlite::CAMPAIGN.all(),
                &sqlite::ERASE.all(),
                &sqlite::SETTLE.all(),
            ]
            .concat();
            [&own[..], &sql::SHARED, &[pending::PENDING]].concat()
        }
    }
}
