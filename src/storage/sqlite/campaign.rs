//! The statements that read a campaign, as SQLite spells them.

use crate::storage::{
    questions::campaign_sql::{CampaignSql, campaign_page, campaign_sql, of_campaign},
    sql::message_columns,
};

/// The label is read as its index reads it; ids come as a JSON array.
pub(super) const CAMPAIGN: CampaignSql =
    campaign_sql!("json_extract(labels, '$.campaign_id')", "IN (SELECT value FROM json_each($1))");
