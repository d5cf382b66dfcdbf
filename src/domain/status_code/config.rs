//! What the operator adds to the table, or overrides in it.

use std::{borrow::Cow, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, de::Error};
use strum::VariantArray;

use super::{Category, Outcome, Retry, Status, StatusCode, StatusTable};

/// `[[status_codes]]`: a code that Exotel has added, or another reading of one that it has.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct StatusCodeConfig {
    /// The number; one that stands in the table overrides it, key by key.
    pub code: i32,
    /// The status that comes with it; needed for a new code.
    #[serde(default, deserialize_with = "one_of")]
    pub status: Option<Status>,
    /// Its name; needed for a new code.
    pub name: Option<String>,
    /// What becomes of the message; needed for a new code.
    #[serde(default, deserialize_with = "one_of")]
    pub outcome: Option<Outcome>,
    /// Whether it is final; may be left out, since the outcome says so. Must agree with it.
    #[serde(rename = "final")]
    pub is_final: Option<bool>,
    /// Where the cause lies; unless given, `operator`, `in_transit` or `other` by the outcome.
    #[serde(default, deserialize_with = "one_of")]
    pub category: Option<Category>,
    /// What to do about it; unless given, `none`, `wait` or `investigate` by the outcome.
    #[serde(default, deserialize_with = "one_of")]
    pub retry: Option<Retry>,
    /// The meaning, for people.
    pub meaning: Option<String>,
}

/// A word of a closed set; an error names the others.
fn one_of<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr + VariantArray + Copy + Into<&'static str>,
{
    let word = String::deserialize(deserializer)?;
    word.parse().map(Some).map_err(|_| {
        let words: Vec<&str> = T::VARIANTS.iter().map(|&known| known.into()).collect();
        D::Error::custom(format!("`{word}` is none of {}", words.join(", ")))
    })
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

impl StatusTable {
    /// Lays one entry over the table.
    pub(super) fn lay_over(&mut self, new: &StatusCodeConfig) -> Result<(), BadStatusCode> {
        let code = new.code;
        if code <= 0 {
            return Err(BadStatusCode::NotACode(code));
        }
        let old = self.by_code(code);
        let needed = |key| BadStatusCode::Incomplete { code, key };
        let name = new.name.as_deref().map(str::trim).filter(|name| !name.is_empty());
        let name = name.map(|name| name.to_owned().into()).or_else(|| old.map(|o| o.name.clone()));
        let outcome = new.outcome.or(old.map(|o| o.outcome)).ok_or_else(|| needed("outcome"))?;
        let (category, retry) = usual(outcome);
        let meaning = new.meaning.clone().map(Cow::Owned).or(old.map(|o| o.meaning.clone()));
        let entry = StatusCode {
            code,
            status: new.status.or(old.map(|o| o.status)).ok_or_else(|| needed("status"))?,
            name: name.ok_or_else(|| needed("name"))?,
            outcome,
            category: new.category.or(old.map(|o| o.category)).unwrap_or(category),
            retry: new.retry.or(old.map(|o| o.retry)).unwrap_or(retry),
            meaning: meaning.unwrap_or_default(),
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

/// Category and retry of a new code that gives none.
fn usual(outcome: Outcome) -> (Category, Retry) {
    match outcome {
        Outcome::Delivered => (Category::Operator, Retry::None),
        Outcome::Pending => (Category::InTransit, Retry::Wait),
        Outcome::Failed | Outcome::Unknown => (Category::Other, Retry::Investigate),
    }
}
