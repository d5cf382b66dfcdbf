//! Answers questions: lists, look-ups, statistics, campaigns.

pub(super) mod calendar;
pub(super) mod campaign;
pub(super) mod campaign_sql;
pub(super) mod condition;
pub(super) mod filter;
pub(super) mod grouping;
pub(super) mod list;
pub(super) mod page;
pub(super) mod pending;
pub(super) mod read;
pub(super) mod stats;
