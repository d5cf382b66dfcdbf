//! The filters of a question: named here once, for the API's description and for `filter`, which reads them.

use utoipa::IntoParams;

use crate::answers::{CategoryWord, OutcomeWord, RetryWord, StatusWord};

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
    outcome: Option<Vec<OutcomeWord>>,
    /// With these statuses.
    #[param(max_items = 100)]
    status: Option<Vec<StatusWord>>,
    /// With these detailed status codes.
    #[param(max_items = 100, example = json!([20005]))]
    code: Option<Vec<i32>>,
    /// With these causes.
    #[param(max_items = 100)]
    category: Option<Vec<CategoryWord>>,
    /// With this advice.
    #[param(max_items = 100)]
    retry: Option<Vec<RetryWord>>,
    /// With these labels, as NAME:VALUE. Labels of different names must all be there.
    #[param(max_items = 100, example = json!(["campaign_id:diwali"]))]
    label: Option<Vec<String>>,
    /// With any of these anomalies.
    #[param(max_items = 100, example = json!(["unknown_code"]))]
    anomaly: Option<Vec<String>>,
    /// With these texts of the sender's own.
    #[param(max_items = 100)]
    custom_field: Option<Vec<String>>,
    /// First received at this time or later: as RFC 3339 writes it; or without an offset, or as a date, which is its
    /// midnight, by the clock of the accounts that are asked for. These must then have one time zone.
    #[param(example = "2026-11-21T18:30:00+05:30")]
    received_from: Option<String>,
    /// First received before this time. A date is its first moment, and itself left out.
    #[param(example = "2026-11-22")]
    received_to: Option<String>,
    /// Sent at this time or later.
    #[param(example = "2026-11-21 18:30")]
    sent_from: Option<String>,
    /// Sent before this time.
    #[param(example = "2026-11-22T18:30:00Z")]
    sent_to: Option<String>,
    /// First received longer ago than this.
    #[param(example = "90m")]
    older_than: Option<String>,
}
