//! Which messages are asked for.

use std::collections::BTreeMap;

use crate::domain::{AccountName, Anomalies, Category, Outcome, Recipient, Retry, Status, Time};

/// Which messages are asked for: those that meet every field. The values of one field are alternatives, and
/// a field without any asks for nothing.
#[derive(Clone, Debug, Default)]
pub struct MessageFilter {
    /// Of these accounts.
    pub accounts: Vec<AccountName>,
    /// To these recipients: by their number, or by their text where it is no number.
    pub recipients: Vec<Recipient>,
    /// With these outcomes.
    pub outcomes: Vec<Outcome>,
    /// With these statuses.
    pub statuses: Vec<Status>,
    /// With these detailed status codes.
    pub codes: Vec<i32>,
    /// With these causes.
    pub categories: Vec<Category>,
    /// With this advice.
    pub retries: Vec<Retry>,
    /// With these labels: alternatives by key; every key counts.
    pub labels: BTreeMap<String, Vec<String>>,
    /// With any of these anomalies.
    pub anomalies: Anomalies,
    /// With these texts of the sender's.
    pub custom_fields: Vec<String>,
    /// First received in this time.
    pub received: Window,
    /// Sent in this time.
    pub sent: Window,
}

/// A span of time, open where an end is not given.
#[derive(Clone, Copy, Debug, Default)]
pub struct Window {
    /// From then on.
    pub from: Option<Time>,
    /// Before then.
    pub to: Option<Time>,
}

impl Window {
    /// Ends the window at `to`, unless it ends before.
    pub fn end_at(&mut self, to: Time) {
        self.to = Some(self.to.map_or(to, |end| end.min(to)));
    }
}
