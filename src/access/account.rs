//! A configured account, after its configuration was checked.

use std::num::NonZeroU32;

use super::{AccountConfig, BadCallers, Callers, Secret};
use crate::domain::{Account, AccountName, BadAccountName};

/// Why an account's configuration cannot be used. The texts say what to set.
#[derive(Debug, thiserror::Error)]
pub enum BadAccount {
    /// The name is not allowed.
    #[error("accounts.{name}: {source}")]
    Name {
        /// The name.
        name: String,
        /// What is wrong with it.
        source: BadAccountName,
    },
    /// Its tokens, secrets or networks cannot be used.
    #[error("accounts.{name}.{source}")]
    Callers {
        /// The account.
        name: AccountName,
        /// What is wrong.
        source: BadCallers,
    },
    /// A key without a token, or a token without a key.
    #[error("accounts.{name}: set read_key and read_token both, or neither (DLR__ACCOUNTS__{}__{missing})",
        .name.as_str().to_uppercase())]
    HalfCredentials {
        /// The account.
        name: AccountName,
        /// The variable's end that is missing.
        missing: &'static str,
    },
    /// A key or token with other characters. Exotel's API refuses such credentials without a lookup, and so does this
    /// service.
    #[error(
        "accounts.{name}.{key} must be of a-z, A-Z and 0-9 alone; with other characters every request would be refused"
    )]
    NotAlphanumeric {
        /// The account.
        name: AccountName,
        /// `read_key` or `read_token`.
        key: &'static str,
    },
    /// Two accounts with one sid: a request would not tell which of them it is for.
    #[error(
        "accounts.{first} and accounts.{second} have the same sid `{sid}`; give each the sid that Exotel knows it by"
    )]
    SameSid {
        /// An account.
        first: AccountName,
        /// Another one.
        second: AccountName,
        /// Their sid.
        sid: String,
    },
}

/// An account with its callers and its read access.
#[derive(Clone, Debug)]
pub struct ConfiguredAccount {
    /// The name, time zone and country, which receipts are normalised with.
    pub account: Account,
    /// How its callbacks are authenticated.
    pub callers: Callers,
    /// None: the account cannot be read through the API that is compatible with Exotel's.
    pub read_access: Option<ReadAccess>,
}

/// The credentials that read an account's messages through the API that is compatible with Exotel's, and their rate
/// limit.
#[derive(Clone, Debug)]
pub struct ReadAccess {
    /// The account's sid in the URLs of Exotel's API.
    pub sid: String,
    /// The user of the Basic credentials.
    pub key: Secret,
    /// Their password.
    pub token: Secret,
    /// False: requests are answered with Exotel's error for an inactive account.
    pub active: bool,
    /// The rate limit, in requests per minute.
    pub limit_per_minute: NonZeroU32,
}

impl AccountConfig {
    /// Checks the configuration of the account named `name`.
    ///
    /// # Errors
    /// [`BadAccount`] says what to set.
    pub fn checked(&self, name: &str) -> Result<ConfiguredAccount, BadAccount> {
        let named = AccountName::new(name);
        let name = named.map_err(|source| BadAccount::Name { name: name.to_owned(), source })?;
        let read_access = self.read_access(&name)?;
        let callers = Callers::checked(self);
        let callers = callers.map_err(|source| BadAccount::Callers { name: name.clone(), source })?;
        let &Self { time_zone, country, .. } = self;
        let account = Account { name, time_zone, country };
        Ok(ConfiguredAccount { account, callers, read_access })
    }

    fn read_access(&self, name: &AccountName) -> Result<Option<ReadAccess>, BadAccount> {
        // A variable that is not set reaches us as an empty one from a Compose file.
        let given = |secret: &Option<Secret>| secret.clone().filter(|secret| !secret.reveal().is_empty());
        let half = |missing| Err(BadAccount::HalfCredentials { name: name.clone(), missing });
        let (key, token) = match (given(&self.read_key), given(&self.read_token)) {
            (None, None) => return Ok(None),
            (Some(_), None) => return half("READ_TOKEN"),
            (None, Some(_)) => return half("READ_KEY"),
            (Some(key), Some(token)) => (key, token),
        };
        for (key, secret) in [("read_key", &key), ("read_token", &token)] {
            if !secret.reveal().bytes().all(|byte| byte.is_ascii_alphanumeric()) {
                return Err(BadAccount::NotAlphanumeric { name: name.clone(), key });
            }
        }
        let sid = if self.sid.is_empty() { name.as_str() } else { &self.sid }.to_owned();
        let &Self { active, read_limit_per_minute: limit_per_minute, .. } = self;
        Ok(Some(ReadAccess { sid, key, token, active, limit_per_minute }))
    }
}

impl ConfiguredAccount {
    /// Checks that no two of `accounts` have the same sid, in any case.
    ///
    /// # Errors
    /// [`BadAccount::SameSid`] names two that do.
    pub fn check_sids(accounts: &[Self]) -> Result<(), BadAccount> {
        let sid = |account: &Self| account.read_access.as_ref().map(|access| access.sid.clone());
        for (at, second) in accounts.iter().enumerate() {
            let Some(own) = sid(second) else { continue };
            let same = |first: &&Self| sid(first).is_some_and(|other| other.eq_ignore_ascii_case(&own));
            if let Some(first) = accounts[..at].iter().find(same) {
                let (first, second) = (first.account.name.clone(), second.account.name.clone());
                return Err(BadAccount::SameSid { first, second, sid: own });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(sid: &str, key: Option<&str>, token: Option<&str>) -> AccountConfig {
        let (read_key, read_token) = (key.map(Secret::from), token.map(Secret::from));
        AccountConfig { sid: sid.into(), read_key, read_token, ..AccountConfig::default() }
    }

    fn fault(config: &AccountConfig) -> String {
        config.checked("acme").unwrap_err().to_string()
    }

    #[test]
    fn keys_and_tokens_come_in_pairs_and_are_alphanumeric() {
        let access = |config: AccountConfig| config.checked("acme").unwrap().read_access;
        assert!(access(config("acme1", None, None)).is_none());
        assert!(access(config("acme1", Some(""), Some(""))).is_none(), "unset in a compose file");
        assert_eq!(access(config("", Some("k1"), Some("t1"))).unwrap().sid, "acme", "its own name");
        assert_eq!(access(config("acme1m", Some("k1"), Some("t1"))).unwrap().sid, "acme1m");
        let half = "accounts.acme: set read_key and read_token both, or neither (DLR__ACCOUNTS__ACME__READ_";
        assert_eq!(fault(&config("", Some("k1"), None)), format!("{half}TOKEN)"));
        assert_eq!(fault(&config("", Some(""), Some("t1"))), format!("{half}KEY)"));
        let odd = fault(&config("", Some("k1"), Some("t-1")));
        assert!(odd.starts_with("accounts.acme.read_token must be of") && !odd.contains("t-1"), "{odd}");
        assert!(fault(&config("", Some("k é"), Some("t1"))).starts_with("accounts.acme.read_key must"));
    }

    #[test]
    fn two_accounts_of_one_sid_are_refused() {
        let account = |name: &str, sid: &str| config(sid, Some("k1"), Some("t1")).checked(name).unwrap();
        assert!(ConfiguredAccount::check_sids(&[account("a", "x"), account("b", "y")]).is_ok());
        let same = ConfiguredAccount::check_sids(&[account("a", "B"), account("b", "")]).unwrap_err();
        assert!(same.to_string().starts_with("accounts.a and accounts.b have the same sid `b`"), "{same}");
    }
}
