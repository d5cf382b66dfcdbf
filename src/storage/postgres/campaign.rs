//! The statements that read a campaign, as Postgres spells them.

use crate::storage::{
    questions::campaign_sql::{CampaignSql, campaign_page, campaign_sql, of_campaign},
    sql::message_columns,
};

/// The label is read as its index reads it.
pub(super) const CAMPAIGN: CampaignSql = campaign_sql!("(labels->>'campaign_id')", "= ANY($1)");
