//! The filters of a question, as the API's description names them; `filter` reads them.

use utoipa::IntoParams;

use crate::domain::{Category, Outcome, Retry, Status, Time};

/// Which messages are asked for. Repeated values of one are alternatives.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "they are read one by one, by their names")]
pub(crate) struct FilterParams {
    /// Of these accounts.
    account: Option<Vec<String>>,
    /// To these recipients, in any spelling of their numbers.
    #[param(example = json!(["+919812345670"]))]
    to: Option<Vec<String>>,
    /// With these outcomes.
    outcome: Option<Vec<Outcome>>,
    /// With these statuses.
    status: Option<Vec<Status>>,
    /// With these detailed status codes.
    #[param(example = json!([20005]))]
    code: Option<Vec<i32>>,
    /// With these causes.
    category: Option<Vec<Category>>,
    /// With this advice.
    retry: Option<Vec<Retry>>,
    /// With these labels, as NAME:VALUE. Labels of different names must all be there.
    #[param(example = json!(["campaign_id:diwali"]))]
    label: Option<Vec<String>>,
    /// With any of these anomalies.
    #[param(example = json!(["unknown_code"]))]
    anomaly: Option<Vec<String>>,
    /// With these texts of the sender's own.
    custom_field: Option<Vec<String>>,
    /// First received at this time or later (RFC 3339).
    #[param(value_type = Option<String>, format = DateTime)]
    received_from: Option<Time>,
    /// First received before this time.
    #[param(value_type = Option<String>, format = DateTime)]
    received_to: Option<Time>,
    /// Sent at this time or later.
    #[param(value_type = Option<String>, format = DateTime)]
    sent_from: Option<Time>,
    /// Sent before this time.
    #[param(value_type = Option<String>, format = DateTime)]
    sent_to: Option<Time>,
    /// First received longer ago than this.
    #[param(example = "90m")]
    older_than: Option<String>,
}
