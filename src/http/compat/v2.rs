//! `GET /v2/accounts/{account sid}/sms-campaigns/{campaign id}/sms-details` and its other spellings: the
//! messages of a campaign.

use std::str::FromStr;

use axum::response::Response;
use url::form_urlencoded;

use super::{failed, reader::Authorised, request_id, written};
use crate::{
    domain::{Account, Recipient},
    exotel::{AnswerFormat, ApiError, CampaignRow, Envelope, Metadata, Said},
    http::{AppState, pace::Reads},
    storage::{CampaignOrder, CampaignPage, CampaignQuery},
};

/// The largest `limit`.
const MAX_LIMIT: u16 = 500;
/// `limit` where none is given. Source: Exotel's reference.
const LIMIT: u16 = 20;

/// Answers with a part of a campaign.
pub(super) async fn details(
    state: &AppState,
    reader: Authorised<'_>,
    resource: &[String],
    query: &str,
) -> Result<Response, ApiError> {
    let campaign = campaign_id(resource)?;
    reader.within_limit()?;
    let params = Params::read(query)?;
    let (recipient, recipient_raw) = params.recipient(reader.account);
    let Params { order, offset, limit, .. } = params;
    let (account, campaign) = (reader.account.name.clone(), campaign.to_owned());
    let query = CampaignQuery { account, campaign, recipient, recipient_raw, order, offset, limit };
    let page = page(state, query).await?;
    let rows: Vec<CampaignRow> = page
        .messages
        .into_iter()
        .map(|(message, callbacks)| {
            let mut said = Said::default();
            for fields in &callbacks {
                said.take_in(fields);
            }
            CampaignRow::of(&message, said)
        })
        .collect();
    let metadata = Metadata { count: rows.len(), offset, total: page.total, limit };
    Ok(written(AnswerFormat::Json, Envelope::rows(request_id(), metadata, rows).write()))
}

/// A campaign is counted as a whole for each of its pages.
async fn page(state: &AppState, query: CampaignQuery) -> Result<CampaignPage, ApiError> {
    // Postgres knows no NUL.
    if query.campaign.contains('\0') || query.recipient_raw.as_ref().is_some_and(|text| text.contains('\0')) {
        return Ok(CampaignPage { total: 0, messages: Vec::new() });
    }
    let store = state.questions.store.clone();
    state.questions.ask(Reads::Scan, async move { store.campaign(&query).await }).await.map_err(failed)
}

/// The campaign that a URL asks for. Source: Exotel's reference spells it in two ways, its newer pages in
/// a third.
fn campaign_id(resource: &[String]) -> Result<&str, ApiError> {
    let [campaigns, id, details] = resource else { return Err(ApiError::Forbidden) };
    let kind = match campaigns.to_ascii_lowercase().as_str() {
        "sms-campaigns" | "sms-campaign" => "sms-details",
        "message-campaigns" | "message-campaign" => "message-details",
        _ => return Err(ApiError::Forbidden),
    };
    if id.is_empty() || !details.eq_ignore_ascii_case(kind) {
        return Err(ApiError::Forbidden);
    }
    Ok(id)
}

/// The parameters of the query string; others than these say nothing to us.
struct Params {
    offset: u32,
    limit: u16,
    number: Option<String>,
    order: CampaignOrder,
}

impl Params {
    fn read(query: &str) -> Result<Self, ApiError> {
        let given = |name: &str| {
            let mut pairs = form_urlencoded::parse(query.as_bytes());
            let (_, value) = pairs.find(|(key, _)| key == name)?;
            Some(value.into_owned()).filter(|value| !value.is_empty())
        };
        let limit = given("limit").map_or(Some(LIMIT), |text| text.parse().ok());
        let limit = limit.filter(|limit| (1..=MAX_LIMIT).contains(limit));
        let limit =
            limit.ok_or_else(|| bad("limit", &format!("must be a whole number from 1 to {MAX_LIMIT}")))?;
        let offset = given("offset").map_or(Ok(0), |text| u32::from_str(&text));
        let offset =
            offset.map_err(|_| bad("offset", &format!("must be a whole number from 0 to {}", u32::MAX)))?;
        let order = given("sort_by").as_deref().map_or(Ok(NEWEST_FIRST), read_order)?;
        Ok(Self { offset, limit, number: given("number"), order })
    }

    /// The number that is asked for: in E.164, or as it is written where it cannot be read as one.
    fn recipient(&self, account: &Account) -> (Option<String>, Option<String>) {
        // A plus that was not encoded arrives as a space.
        let number = self.number.as_deref().map(|text| Recipient::read(text.trim(), account.country));
        match number {
            None => (None, None),
            Some(Recipient { e164: Some(e164), .. }) => (Some(e164), None),
            Some(Recipient { raw, .. }) => (None, raw),
        }
    }
}

const NEWEST_FIRST: CampaignOrder = CampaignOrder::FirstReceived { descending: true };

/// `field:asc` or `field:desc`. Callbacks do not say when a message was to be sent, so that all are equal
/// by `schedule_time`, and stand in the order in which they were heard of.
fn read_order(text: &str) -> Result<CampaignOrder, ApiError> {
    let (field, direction) = text.split_once(':').unwrap_or((text, "asc"));
    let descending = match direction {
        "asc" => false,
        "desc" => true,
        other => return Err(bad("sort_by", &format!("the direction `{other}` is neither asc nor desc"))),
    };
    match field {
        "date_created" | "schedule_time" => Ok(CampaignOrder::FirstReceived { descending }),
        "date_updated" => Ok(CampaignOrder::LastReceived { descending }),
        other => {
            let known = "date_created, date_updated and schedule_time";
            Err(bad("sort_by", &format!("the field `{other}` is none of {known}")))
        }
    }
}

fn bad(parameter: &str, fault: &str) -> ApiError {
    ApiError::BadParameter(format!("`{parameter}`: {fault}"))
}
