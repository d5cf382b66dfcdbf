//! The statements that Postgres and SQLite spell differently: one value for each database, in its folder. Statements that
//! both understand are constants beside the code that runs them; parts of statements that are put together for a question
//! go by [`Dialect`](crate::storage::dialect::Dialect).

use crate::storage::{
    erasing::erase_sql::EraseSql, questions::campaign_sql::CampaignSql, writing::settle_sql::SettleSql,
};

/// What one database is asked, where the other one is asked otherwise.
pub(super) struct BackendStatements {
    /// Read a campaign in Exotel's way.
    pub campaign: CampaignSql,
    /// Erase a recipient.
    pub erase: EraseSql,
    /// Settle a dispute about a message.
    pub settle: SettleSql,
    /// The messages of the sids in a JSON array.
    pub lookup: &'static str,
    /// Takes a lease that is free, has run out, or is the holder's own already.
    pub take_lease: &'static str,
    /// The database's time, and when it was last seen.
    pub read_clock: &'static str,
}

impl BackendStatements {
    /// All of them: a field that is not named here does not compile.
    pub fn all(&self) -> Vec<&'static str> {
        let Self { campaign, erase, settle, lookup, take_lease, read_clock } = self;
        [&campaign.all()[..], &erase.all(), &settle.all(), &[lookup, take_lease, read_clock]].concat()
    }
}
