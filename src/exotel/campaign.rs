//! The details of a campaign, and errors, as the second version of Exotel's API writes them.
//!
//! Source: Exotel's reference of SMS campaign details; for errors, `error_data.description`, which is
//! what clients of it read.

use serde::Serialize;
use serde_json::json;

use super::{ApiError, Said};
use crate::domain::{Message, Status};

/// The envelope of an answer.
#[derive(Debug, Serialize)]
pub struct Envelope {
    request_id: String,
    method: &'static str,
    http_code: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<Metadata>,
    response: Response,
}

/// The page of a campaign that an answer holds.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Metadata {
    /// How many rows it has.
    pub count: usize,
    /// The offset of its first row.
    pub offset: u32,
    /// How many rows the campaign has.
    pub total: u64,
    /// The most rows of a page.
    pub limit: u16,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Response {
    Rows(Vec<ResponsePart<CampaignRow>>),
    Failure(ResponsePart<()>),
}

#[derive(Debug, Serialize)]
struct ResponsePart<T> {
    code: u16,
    error_data: Option<ErrorData>,
    status: &'static str,
    data: Option<T>,
}

#[derive(Debug, Serialize)]
struct ErrorData {
    code: Option<u32>,
    description: String,
}

/// One message of a campaign.
#[derive(Debug, Serialize)]
pub struct CampaignRow {
    number: Option<String>,
    /// Of the contact; callbacks do not name it.
    name: Option<String>,
    body: Option<String>,
    status: Option<String>,
    detailed_status: Option<String>,
    /// When it was scheduled; callbacks do not say so.
    schedule_time: Option<String>,
    sender_id: Option<String>,
    direction: Option<String>,
    sid: String,
}

impl CampaignRow {
    /// A message with fields of its callbacks.
    #[must_use]
    pub fn of(message: &Message<'_>, said: Said) -> Self {
        let outcome = &message.outcome;
        // This version of the API spells `failed-dnd` with an underscore.
        let failed_dnd: &str = Status::FailedDnd.into();
        let spelled = |status: &str| if status == failed_dnd { "failed_dnd" } else { status }.to_owned();
        Self {
            number: outcome.recipient.raw.clone(),
            name: None,
            status: outcome.verdict.status.as_deref().map(spelled),
            detailed_status: outcome.verdict.name.as_deref().map(str::to_owned),
            schedule_time: None,
            sender_id: said.sender_id().map(str::to_owned),
            body: said.body,
            direction: said.direction,
            sid: message.sid.as_str().to_owned(),
        }
    }
}

impl Envelope {
    /// Rows of a campaign.
    #[must_use]
    pub fn rows(request_id: String, metadata: Metadata, rows: Vec<CampaignRow>) -> Self {
        let part = |row| ResponsePart { code: 200, error_data: None, status: "success", data: Some(row) };
        let response = Response::Rows(rows.into_iter().map(part).collect());
        Self { request_id, method: "GET", http_code: 200, metadata: Some(metadata), response }
    }

    /// An error.
    #[must_use]
    pub fn failure(request_id: String, error: &ApiError) -> Self {
        let code = error.status();
        let error_data = ErrorData { code: error.code(), description: error.message().into_owned() };
        let part = ResponsePart { code, error_data: Some(error_data), status: "failure", data: None };
        let response = Response::Failure(part);
        Self { request_id, method: "GET", http_code: code, metadata: None, response }
    }

    /// The answer's text.
    #[must_use]
    pub fn write(&self) -> String {
        json!(self).to_string()
    }
}
