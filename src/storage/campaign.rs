//! The messages of a campaign, by places in a list: Exotel's way of paging, which counts.

use std::collections::HashMap;

use serde_json::{Map, Value};
use sqlx::FromRow;

use super::{
    Backend, Store, StoreError, campaign_sql::CampaignSql, fields::raw_fields, on_readers, row::MessageRow,
};
use crate::domain::{AccountName, Message, RawField};

/// Which messages are asked for.
#[derive(Clone, Debug)]
pub struct CampaignQuery {
    /// Whose.
    pub account: AccountName,
    /// The campaign: a message's label `campaign_id`.
    pub campaign: String,
    /// To a number in E.164 only.
    pub recipient: Option<String>,
    /// To a number as it was written only.
    pub recipient_raw: Option<String>,
    /// In which order.
    pub order: CampaignOrder,
    /// How many are passed over.
    pub offset: u32,
    /// At most so many.
    pub limit: u16,
}

/// The order of a campaign's messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CampaignOrder {
    /// By when they were first heard of.
    FirstReceived {
        /// The newest first.
        descending: bool,
    },
    /// By when they were last heard of.
    LastReceived {
        /// The latest first.
        descending: bool,
    },
}

/// A part of a campaign.
#[derive(Clone, Debug)]
pub struct CampaignPage {
    /// How many messages there are in all.
    pub total: u64,
    /// The messages, each with the fields of its first callbacks that take part.
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

/// What one receipt says.
struct FieldsOfReceipt {
    signed_for: Option<String>,
    fields: Vec<RawField>,
}

impl Store {
    /// A part of the messages of a campaign, and how many there are.
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

    /// The fields of the receipts of messages, by their numbers.
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
