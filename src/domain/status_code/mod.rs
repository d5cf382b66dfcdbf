//! The table of detailed status codes in force: Exotel's, and what the operator adds or overrides.

mod table;

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::{Category, ConfirmedBy, Evidence, Outcome, Retry, Status, status::same_word};

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

/// What a code, a name or a status alone amounts to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Classification {
    /// How much it proves.
    pub evidence: Evidence,
    /// What became of the message.
    pub outcome: Outcome,
    /// Where the cause lies.
    pub category: Category,
    /// What to do about it.
    pub retry: Retry,
    /// Who confirmed it.
    pub confirmed_by: ConfirmedBy,
}

impl Classification {
    /// What nobody can read.
    pub(super) const UNRECOGNISED: Self = Self {
        evidence: Evidence::Unrecognised,
        outcome: Outcome::Unknown,
        category: Category::Other,
        retry: Retry::Investigate,
        confirmed_by: ConfirmedBy::None,
    };
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

/// `[[status_codes]]`: a code that Exotel has added, or another reading of one that it has.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct StatusCodeConfig {
    /// The number; one that stands in the table overrides it, key by key.
    pub code: i32,
    /// The status that comes with it; needed for a new code.
    pub status: Option<Status>,
    /// Its name; needed for a new code.
    pub name: Option<String>,
    /// What becomes of the message; needed for a new code.
    pub outcome: Option<Outcome>,
    /// Whether it is final; may be left out, since the outcome says so. Must agree with it.
    #[serde(rename = "final")]
    pub is_final: Option<bool>,
    /// Where the cause lies; `other` unless given.
    pub category: Option<Category>,
    /// What to do about it; `investigate` unless given.
    pub retry: Option<Retry>,
    /// The meaning, for people.
    pub meaning: Option<String>,
}

/// Why an entry of `[[status_codes]]` cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BadStatusCode {
    /// A new code lacks something.
    #[error("status_codes: code {code} is not in the table, so it needs `{key}`")]
    Incomplete {
        /// The code.
        code: i32,
        /// What it lacks.
        key: &'static str,
    },
    /// The same code twice.
    #[error("status_codes: code {0} is given twice")]
    Repeated(i32),
    /// The name belongs to another code.
    #[error("status_codes: code {code} has the name of code {other}")]
    NameTaken {
        /// The code.
        code: i32,
        /// The code that has the name.
        other: i32,
    },
    /// Not a positive number.
    #[error("status_codes: {0} is no status code; they are positive numbers")]
    NotACode(i32),
    /// `final` contradicts `outcome`.
    #[error(
        "status_codes: code {0} has `final` against its `outcome`: delivered and failed are final, others are not"
    )]
    FinalMismatch(i32),
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

    fn lay_over(&mut self, new: &StatusCodeConfig) -> Result<(), BadStatusCode> {
        let code = new.code;
        if code <= 0 {
            return Err(BadStatusCode::NotACode(code));
        }
        let old = self.by_code(code);
        let needed = |key| BadStatusCode::Incomplete { code, key };
        let name = new.name.clone().map(Cow::Owned).or_else(|| old.map(|o| o.name.clone()));
        let entry = StatusCode {
            code,
            status: new.status.or(old.map(|o| o.status)).ok_or_else(|| needed("status"))?,
            name: name.ok_or_else(|| needed("name"))?,
            outcome: new.outcome.or(old.map(|o| o.outcome)).ok_or_else(|| needed("outcome"))?,
            category: new.category.or(old.map(|o| o.category)).unwrap_or(Category::Other),
            retry: new.retry.or(old.map(|o| o.retry)).unwrap_or(Retry::Investigate),
            meaning: new
                .meaning
                .clone()
                .map(Cow::Owned)
                .or(old.map(|o| o.meaning.clone()))
                .unwrap_or_default(),
        };
        if new.is_final.is_some_and(|is_final| is_final != entry.outcome.is_final()) {
            return Err(BadStatusCode::FinalMismatch(code));
        }
        if let Some(other) = self.by_name(&entry.name).filter(|other| other.code != code) {
            return Err(BadStatusCode::NameTaken { code, other: other.code });
        }
        match self.0.binary_search_by_key(&code, |entry| entry.code) {
            Ok(at) => self.0[at] = entry,
            Err(at) => self.0.insert(at, entry),
        }
        Ok(())
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
            "status_codes: code 23099 is not in the table, so it needs `status`"
        );
        assert_eq!(refusal(&[entry(20005), entry(20005)]), "status_codes: code 20005 is given twice");
        assert_eq!(refusal(&[entry(-1)]), "status_codes: -1 is no status code; they are positive numbers");
        let taken = StatusCodeConfig { name: Some("FAILED_EXPIRED".into()), ..entry(20005) };
        assert_eq!(refusal(&[taken]), "status_codes: code 20005 has the name of code 23050");
        let not_final = StatusCodeConfig { is_final: Some(false), ..entry(20005) };
        assert!(refusal(&[not_final]).contains("`final` against its `outcome`"));
    }
}
