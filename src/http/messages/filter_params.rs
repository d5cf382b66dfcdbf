//! The filters of a question, as the API's description names them; `filter` reads them.

use utoipa::IntoParams;

use crate::domain::{Category, Outcome, Retry, Status, Time};

/// Which messages are asked for. Repeated values of one are alternatives; it has 100 of them at most.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "they are read one by one, by their names")]
pub(crate) struct FilterParams {
    /// Of these accounts.
    #[param(max_items = 100)]
    account: Option<Vec<String>>,
    /// To these recipients, in any spelling of their numbers; or as Exotel wrote what is no number, such as a mask.
    #[param(max_items = 100, example = json!(["+919812345670"]))]
    to: Option<Vec<String>>,
    /// With these outcomes.
    #[param(max_items = 100)]
    outcome: Option<Vec<Outcome>>,
    /// With these statuses.
    #[param(max_items = 100)]
    status: Option<Vec<Status>>,
    /// With these detailed status codes.
    #[param(max_items = 100, example = json!([20005]))]
    code: Option<Vec<i32>>,
    /// With these causes.
    #[param(max_items = 100)]
    category: Option<Vec<Category>>,
    /// With this advice.
    #[param(max_items = 100)]
    retry: Option<Vec<Retry>>,
    /// With these labels, as NAME:VALUE. Labels of different names must all be there.
    #[param(max_items = 100, example = json!(["campaign_id:diwali"]))]
    label: Option<Vec<String>>,
    /// With any of these anomalies.
    #[param(max_items = 100, example = json!(["unknown_code"]))]
    anomaly: Option<Vec<String>>,
    /// With these texts of the sender's own.
    #[param(max_items = 100)]
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
