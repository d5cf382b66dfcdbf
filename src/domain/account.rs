//! The account of a sender: the name in its callback URL, and how its times and numbers are read.

use std::{borrow::Borrow, fmt, sync::Arc};

use chrono_tz::Tz;

use super::Country;

/// The name of an account in URLs, configuration and answers: 1 to 64 of `a-z 0-9 _ -`.
///
/// Names are lower case because environment variables cannot tell cases apart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountName(Arc<str>);

/// The error of a text that is not an account name.
#[derive(Debug, thiserror::Error)]
#[error("an account name is 1 to 64 characters of a-z, 0-9, `_` and `-`, in lower case")]
pub struct BadAccountName;

impl AccountName {
    /// Checks and keeps `name`.
    ///
    /// # Errors
    /// [`BadAccountName`] when it is empty, too long or has other characters.
    pub fn new(name: &str) -> Result<Self, BadAccountName> {
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-';
        if name.is_empty() || name.len() > 64 || !name.bytes().all(allowed) {
            return Err(BadAccountName);
        }
        Ok(Self(name.into()))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for AccountName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AccountName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An account, as far as normalising needs it.
#[derive(Clone, Debug)]
pub struct Account {
    /// Its name in URLs.
    pub name: AccountName,
    /// The zone in which Exotel writes this account's zone-less times.
    pub time_zone: Tz,
    /// The country of recipients that are written without a country code.
    pub country: Country,
}

impl Account {
    /// The zone of an account that is configured without one. Source: Exotel's reference writes times in India time.
    pub const TIME_ZONE: Tz = Tz::Asia__Kolkata;
    /// The country of an account that is configured without one.
    pub const COUNTRY: Country = Country::INDIA;

    /// An account of which nothing but the name is configured.
    #[must_use]
    pub fn unconfigured(name: AccountName) -> Self {
        Self { name, time_zone: Self::TIME_ZONE, country: Self::COUNTRY }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_lower_case_and_plain() {
        for good in ["default", "acme_2", "a-b", &"x".repeat(64)] {
            assert_eq!(AccountName::new(good).unwrap().as_str(), good);
        }
        for bad in ["", "ACME", "a b", "a/b", "ä", &"x".repeat(65)] {
            assert!(AccountName::new(bad).is_err(), "{bad:?} was taken");
        }
    }
}
