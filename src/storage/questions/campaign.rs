//! The messages of a campaign, paged by offset and with their total number, as Exotel's API pages.

use std::collections::HashMap;

use serde_json::{Map, Value};
use sqlx::FromRow;

use crate::domain::{AccountName, Message, RawField};
use crate::storage::{
    Backend, Store, StoreError, fields::raw_fields, on_readers, questions::campaign_sql::CampaignSql,
    row::MessageRow,
};

/// Which messages are asked for.
#[derive(Clone, Debug)]
pub struct CampaignQuery {
    /// The account.
    pub account: AccountName,
    /// The campaign: a message's label `campaign_id`.
    pub campaign: String,
    /// Only messages to this number, in E.164.
    pub recipient: Option<String>,
    /// Only messages to this recipient as it was written.
    pub recipient_raw: Option<String>,
    /// The order.
    pub order: CampaignOrder,
    /// How many messages to skip.
    pub offset: u32,
    /// The most messages of the page.
    pub limit: u16,
}

/// The order of a campaign's messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CampaignOrder {
    /// By the time of the first receipt.
    FirstReceived {
        /// The newest first.
        descending: bool,
    },
    /// By the time of the last receipt.
    LastReceived {
        /// The latest first.
        descending: bool,
    },
}

/// A page of a campaign.
#[derive(Clone, Debug)]
pub struct CampaignPage {
    /// How many messages the campaign has in all.
    pub total: u64,
    /// The messages, each with the fields of its first receipts that take part in the outcome.
    pub messages: Vec<(Message<'static>, Vec<Vec<RawField>>)>,
}

/// How many receipts are read of each message; a message has a handful.
const RECEIPTS_PER_MESSAGE: i64 = 32;

#[derive(FromRow)]
struct StoredCampaignRow {
    id: i64,
    #[sqlx(flatten)]
    message: MessageRow,
}

/// The fields of one receipt.
struct FieldsOfReceipt {
    signed_for: Option<String>,
    fields: Vec<RawField>,
}

impl Store {
    /// A page of the messages of a campaign, and how many there are in all.
    ///
    /// # Errors
    /// [`StoreError`] where the database cannot answer.
    pub async fn campaign(&self, query: &CampaignQuery) -> Result<CampaignPage, StoreError> {
        let sql = &self.statements().campaign;
        let (account, campaign) = (query.account.as_str(), &query.campaign);
        let CampaignQuery { recipient, recipient_raw, .. } = query;
        let total: i64 = on_readers!(self, pool => sqlx::query_scalar(sql.count)
            .bind(account)
            .bind(campaign)
            .bind(recipient)
            .bind(recipient_raw)
            .fetch_one(pool))?;
        let rows: Vec<StoredCampaignRow> = on_readers!(self, pool => sqlx::query_as(sql.page(query.order))
            .bind(account)
            .bind(campaign)
            .bind(recipient)
            .bind(recipient_raw)
            .bind(i64::from(query.limit))
            .bind(i64::from(query.offset))
            .fetch_all(pool))?;
        let mut fields = self.fields_of(&rows.iter().map(|row| row.id).collect::<Vec<_>>()).await?;
        let message = |row: StoredCampaignRow| {
            let (message, said) =
                (Message::try_from(row.message)?, fields.remove(&row.id).unwrap_or_default());
            let said = said.into_iter().filter(|said| message.admits(said.signed_for.as_deref()));
            let said = said.map(|said| said.fields).collect();
            Ok((message, said))
        };
        let messages = rows.into_iter().map(message).collect::<Result<_, StoreError>>()?;
        Ok(CampaignPage { total: total.unsigned_abs(), messages })
    }

    /// The fields of the receipts of messages, by the ids of the messages.
    async fn fields_of(&self, ids: &[i64]) -> Result<HashMap<i64, Vec<FieldsOfReceipt>>, StoreError> {
        let sql = self.statements().campaign.fields;
        let rows: Vec<(i64, Option<String>, String)> = match &self.backend {
            Backend::Postgres(postgres) => {
                let asked = async {
                    let mut session = postgres.reading().await?;
                    sqlx::query_as(sql).bind(ids).bind(RECEIPTS_PER_MESSAGE).fetch_all(&mut *session).await
                };
                self.in_time(asked).await?
            }
            Backend::Sqlite(sqlite) => {
                let ids = serde_json::to_string(ids)?;
                self.in_time(
                    sqlx::query_as(sql).bind(ids).bind(RECEIPTS_PER_MESSAGE).fetch_all(sqlite.readers()),
                )
                .await?
            }
        };
        let mut by_message: HashMap<i64, Vec<FieldsOfReceipt>> = HashMap::new();
        for (id, signed_for, fields) in rows {
            let fields: Map<String, Value> = serde_json::from_str(&fields)?;
            let receipt = FieldsOfReceipt { signed_for, fields: raw_fields(&fields) };
            by_message.entry(id).or_default().push(receipt);
        }
        Ok(by_message)
    }
}

impl CampaignSql {
    fn page(&self, order: CampaignOrder) -> &'static str {
        match order {
            CampaignOrder::FirstReceived { descending } => self.by_first_received[usize::from(!descending)],
            CampaignOrder::LastReceived { descending } => self.by_last_received[usize::from(!descending)],
        }
    }
}
