//! The table of detailed status codes in force: Exotel's, and what the operator adds or overrides.

mod config;
mod table;

use std::borrow::Cow;

pub use config::{BadStatusCode, StatusCodeConfig};

use super::{
    Category, ConfirmedBy, Evidence, Outcome, Retry, Status, classification::Classification,
    status::same_word,
};

/// One detailed status code and what it means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusCode {
    /// The number.
    pub code: i32,
    /// The status that comes with it.
    pub status: Status,
    /// Its name (`DetailedStatus`).
    pub name: Cow<'static, str>,
    /// What became of the message.
    pub outcome: Outcome,
    /// Where the cause lies.
    pub category: Category,
    /// What to do about it.
    pub retry: Retry,
    /// The meaning, for people.
    pub meaning: Cow<'static, str>,
}

impl StatusCode {
    /// Exotel's "reason unknown": it names no cause, so any code that does is believed before it.
    const UNKNOWN_ERROR: i32 = 24990;

    /// Whether the code names a cause.
    #[must_use]
    pub fn is_specific(&self) -> bool {
        self.code != Self::UNKNOWN_ERROR
    }

    /// Who confirms a delivery that this code reports.
    #[must_use]
    pub fn confirmed_by(&self) -> ConfirmedBy {
        match (self.outcome, self.category) {
            (Outcome::Delivered, Category::Handset) => ConfirmedBy::Handset,
            (Outcome::Delivered, _) => ConfirmedBy::Operator,
            _ => ConfirmedBy::None,
        }
    }

    /// What the code amounts to.
    #[must_use]
    pub fn classify(&self) -> Classification {
        let confirmed_by = self.confirmed_by();
        let evidence = match (self.outcome, confirmed_by, self.status) {
            (Outcome::Delivered, ConfirmedBy::Handset, _) => Evidence::DeliveredToHandset,
            (Outcome::Delivered, _, _) => Evidence::DeliveredToOperator,
            (Outcome::Failed, _, _) => Evidence::Failed,
            (Outcome::Unknown, _, _) => Evidence::Unrecognised,
            (Outcome::Pending, _, Status::Queued) => Evidence::Queued,
            (Outcome::Pending, _, Status::Sending) => Evidence::Sending,
            (Outcome::Pending, _, _) => Evidence::Submitted,
        };
        let Self { outcome, category, retry, .. } = *self;
        Classification { evidence, outcome, category, retry, confirmed_by }
    }
}

/// All codes in force, by code.
#[derive(Clone, Debug)]
pub struct StatusTable(Vec<StatusCode>);

impl Default for StatusTable {
    fn default() -> Self {
        Self(table::EXOTEL.to_vec())
    }
}

impl StatusTable {
    /// Exotel's table with the operator's entries laid over it.
    ///
    /// # Errors
    /// [`BadStatusCode`] where an entry is incomplete or contradicts another.
    pub fn with(configured: &[StatusCodeConfig]) -> Result<Self, BadStatusCode> {
        let mut table = Self::default();
        for (i, entry) in configured.iter().enumerate() {
            if configured[..i].iter().any(|earlier| earlier.code == entry.code) {
                return Err(BadStatusCode::Repeated(entry.code));
            }
            table.lay_over(entry)?;
        }
        Ok(table)
    }

    /// The entry of a code.
    #[must_use]
    pub fn by_code(&self, code: i32) -> Option<&StatusCode> {
        let at = self.0.binary_search_by_key(&code, |entry| entry.code).ok()?;
        Some(&self.0[at])
    }

    /// The entry of a name, whatever its case and separators.
    #[must_use]
    pub fn by_name(&self, name: &str) -> Option<&StatusCode> {
        self.0.iter().find(|entry| same_word(&entry.name, name))
    }

    /// Every entry, by code.
    pub fn iter(&self) -> impl Iterator<Item = &StatusCode> {
        self.0.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(code: i32) -> StatusCodeConfig {
        StatusCodeConfig { code, ..StatusCodeConfig::default() }
    }

    #[test]
    fn exotels_table_is_sorted_and_its_names_are_unique() {
        let table = StatusTable::default();
        assert_eq!(table.iter().count(), 33);
        assert!(table.iter().is_sorted_by(|a, b| a.code < b.code));
        for entry in table.iter() {
            assert_eq!(table.by_name(&entry.name).unwrap().code, entry.code);
            assert!(!entry.meaning.is_empty());
        }
        assert_eq!(table.by_name("delivered-to-handset").unwrap().code, 20005);
    }

    #[test]
    fn an_operator_overrides_key_by_key_and_adds_whole_codes() {
        let expired = StatusCodeConfig { retry: Some(Retry::Never), ..entry(23050) };
        let new = StatusCodeConfig {
            status: Some(Status::Failed),
            name: Some("FAILED_NEW".into()),
            outcome: Some(Outcome::Failed),
            is_final: Some(true),
            ..entry(23099)
        };
        let table = StatusTable::with(&[expired, new]).unwrap();
        let expired = table.by_code(23050).unwrap();
        assert_eq!((expired.retry, &*expired.name), (Retry::Never, "FAILED_EXPIRED"));
        let new = table.by_name("failed_new").unwrap();
        assert_eq!((new.code, new.retry, new.category), (23099, Retry::Investigate, Category::Other));
    }

    #[test]
    fn a_bad_entry_says_what_is_wrong_with_it() {
        let refusal = |entries: &[StatusCodeConfig]| StatusTable::with(entries).unwrap_err().to_string();
        assert_eq!(
            refusal(&[entry(23099)]),
            "status_codes: code 23099 is not in the table, so it needs `outcome`"
        );
        assert_eq!(refusal(&[entry(20005), entry(20005)]), "status_codes: code 20005 is given twice");
        assert_eq!(refusal(&[entry(-1)]), "status_codes: -1 is no status code; they are positive numbers");
        let taken = StatusCodeConfig { name: Some("FAILED_EXPIRED".into()), ..entry(20005) };
        assert_eq!(refusal(&[taken]), "status_codes: code 20005 has the name of code 23050");
        let delivered = StatusCodeConfig {
            status: Some(Status::Sent),
            name: Some("DELIVERED_SOMEHOW".into()),
            outcome: Some(Outcome::Delivered),
            ..entry(20007)
        };
        let table = StatusTable::with(&[delivered]).unwrap();
        assert_eq!(table.by_code(20007).unwrap().retry, Retry::None, "the usual of its outcome");
        let not_final = StatusCodeConfig { is_final: Some(false), ..entry(20005) };
        assert!(refusal(&[not_final]).contains("`final` against its `outcome`"));
    }
}
