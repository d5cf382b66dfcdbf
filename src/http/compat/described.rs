//! What the API's description says of Exotel's routes: in their canonical spelling, though any case is taken.

use serde_json::Value;
use utoipa::{IntoParams, IntoResponses, ToResponse};

/// What Exotel says to it: XML, or JSON where the sid ends in `.json`; always JSON of a campaign.
#[derive(ToResponse)]
#[expect(dead_code, reason = "what it stands for is written as Exotel writes it")]
enum RefusalBody {
    Xml(#[content("application/xml")] String),
    Json(#[content("application/json")] Value),
}

/// How Exotel refuses; every case is in its table of errors.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "what it stands for is written as Exotel writes it")]
enum ExotelRefusals {
    /// The URL or a parameter is wrong, or the credentials are not alphanumeric.
    #[response(status = 400)]
    Invalid(#[to_response] RefusalBody),
    /// The credentials are missing or wrong.
    #[response(status = 401)]
    Unauthorized(#[to_response] RefusalBody),
    /// Another account's resource, or an inactive account.
    #[response(status = 403)]
    Forbidden(#[to_response] RefusalBody),
    /// More requests than the account may make.
    #[response(status = 429)]
    TooMany(#[to_response] RefusalBody),
    /// The database cannot answer now.
    #[response(status = 503)]
    Unavailable(#[to_response] RefusalBody),
}

/// Which part of a campaign.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "they are read one by one, by their names")]
struct CampaignParams {
    /// How many messages come before.
    #[param(minimum = 0, default = 0)]
    offset: Option<u32>,
    /// How many at most.
    #[param(minimum = 1, maximum = 500, default = 20)]
    limit: Option<u16>,
    /// Only those to this recipient, in any spelling.
    #[param(example = "09812345670")]
    number: Option<String>,
    /// The order: `date_created`, `date_updated` or `schedule_time`, then `:asc` or `:desc`.
    #[param(example = "date_created:desc")]
    sort_by: Option<String>,
}

/// An SMS as Exotel's `GET SMS details` answers it, in XML.
#[utoipa::path(
    get, path = "/v1/Accounts/{account_sid}/SMS/Messages/{sid}", tag = "Exotel's API", security(("basic" = [])),
    params(
        ("account_sid" = String, Path, description = "The account's `sid`", example = "default"),
        ("sid" = String, Path, description = "The message's Sid; `.json` behind it asks for JSON"),
    ),
    responses(
        (status = 200, description = "The message; or \"No matching results\"", content(
            (String = "application/xml"), (Value = "application/json"))),
        ExotelRefusals,
    ),
)]
#[expect(dead_code, reason = "only described")]
pub(crate) fn sms_details() {}

/// The messages of a campaign as Exotel's `sms-details` answers them.
///
/// Also as `sms-campaign/…/sms-details` and `message-campaigns/…/message-details`.
#[utoipa::path(
    get, path = "/v2/accounts/{account_sid}/sms-campaigns/{campaign_id}/sms-details", tag = "Exotel's API",
    security(("basic" = [])),
    params(
        ("account_sid" = String, Path, description = "The account's `sid`", example = "default"),
        ("campaign_id" = String, Path, description = "The label `campaign_id`, or `CampaignSid`"),
        CampaignParams,
    ),
    responses((status = 200, description = "A part of them", body = Value), ExotelRefusals),
)]
#[expect(dead_code, reason = "only described")]
pub(crate) fn campaign_details() {}
