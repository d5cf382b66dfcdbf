//! Which messages are asked for.

use std::collections::BTreeMap;

use crate::domain::{AccountName, Anomalies, Category, Labels, Outcome, Recipient, Retry, Status, Time};
use crate::storage::dialect::Dialect;

/// Which messages are asked for: those that match every field. The values of one field are alternatives; an empty field
/// matches all messages.
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
    /// With these labels: for every key any of its values.
    pub labels: BTreeMap<String, Vec<String>>,
    /// With any of these anomalies.
    pub anomalies: Anomalies,
    /// With these custom fields.
    pub custom_fields: Vec<String>,
    /// First received in this time.
    pub received: Window,
    /// Sent in this time.
    pub sent: Window,
}

impl MessageFilter {
    /// Whether an index finds a page without reading many other rows, however large the database is. That is so without
    /// filters, by recipient, and by a single filter that has an index. Two filters may each match many messages that the
    /// other one excludes, so they count as a scan.
    pub(in crate::storage) fn is_found_by_index(&self, dialect: Dialect) -> bool {
        let Self { accounts, recipients, labels, custom_fields, sent, .. } = self;
        if !recipients.is_empty() {
            return true;
        }
        let words = [
            !self.outcomes.is_empty(),
            !self.statuses.is_empty(),
            !self.codes.is_empty(),
            !self.categories.is_empty(),
            !self.retries.is_empty(),
            self.anomalies != Anomalies::NONE,
        ];
        let indexed_by_both = words.into_iter().filter(|is_given| *is_given).count()
            + labels.keys().filter(|key| *key == Labels::CAMPAIGN_ID).count();
        let indexed_by_postgres =
            [!accounts.is_empty(), !custom_fields.is_empty(), sent.from.is_some() || sent.to.is_some()];
        let indexed_by_postgres = indexed_by_postgres.into_iter().filter(|is_given| *is_given).count()
            + labels.keys().filter(|key| *key != Labels::CAMPAIGN_ID).count();
        match dialect {
            Dialect::Postgres => indexed_by_both + indexed_by_postgres <= 1,
            Dialect::Sqlite => indexed_by_both <= 1 && indexed_by_postgres == 0,
        }
    }
}

/// A window of time, open at an end that is not given.
#[derive(Clone, Copy, Debug, Default)]
pub struct Window {
    /// The first moment within.
    pub from: Option<Time>,
    /// The first moment behind it.
    pub to: Option<Time>,
}

impl Window {
    /// Ends the window at `to`, unless it ends before.
    pub fn end_at(&mut self, to: Time) {
        self.to = Some(self.to.map_or(to, |end| end.min(to)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_index_of_its_own_is_a_scan() {
        let any = MessageFilter::default;
        let label = |key: &str| [(key.to_owned(), vec!["a".to_owned()])].into();
        let recipients = vec![Recipient::default()];
        let day = Window { from: Some(Time::UNIX_EPOCH), to: None };
        for (filter, by_postgres, by_sqlite) in [
            (any(), true, true),
            (MessageFilter { received: day, ..any() }, true, true),
            (
                MessageFilter { recipients, outcomes: vec![Outcome::Failed], labels: label("team"), ..any() },
                true,
                true,
            ),
            (MessageFilter { outcomes: vec![Outcome::Failed], received: day, ..any() }, true, true),
            (MessageFilter { outcomes: vec![Outcome::Failed], codes: vec![20005], ..any() }, false, false),
            (MessageFilter { labels: label("campaign_id"), ..any() }, true, true),
            (MessageFilter { labels: label("team"), ..any() }, true, false),
            (MessageFilter { custom_fields: vec!["a".into()], ..any() }, true, false),
            (MessageFilter { sent: day, ..any() }, true, false),
            (MessageFilter { sent: day, retries: vec![Retry::Wait], ..any() }, false, false),
        ] {
            assert_eq!(filter.is_found_by_index(Dialect::Postgres), by_postgres, "Postgres: {filter:?}");
            assert_eq!(filter.is_found_by_index(Dialect::Sqlite), by_sqlite, "SQLite: {filter:?}");
        }
    }
}
