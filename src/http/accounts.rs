//! The accounts as routes see them: who may call each, who may read it, and what is counted of it.

use std::{borrow::Cow, collections::HashMap};

use super::{
    auth::{AccountReader, CallbackGuard},
    metrics::AccountMetrics,
};
use crate::{
    access::ConfiguredAccount,
    domain::{Account, AccountName, Time},
    telemetry::Metrics,
};

/// The configured accounts, and what stands in for all others.
#[derive(Debug)]
pub(super) struct Accounts {
    known: HashMap<AccountName, KnownAccount>,
    pub unknown: UnknownAccount,
}

/// An account, who may call it, and who reads it in Exotel's way.
#[derive(Debug)]
pub(super) struct KnownAccount {
    pub account: Account,
    pub guard: CallbackGuard,
    pub reader: Option<AccountReader>,
    pub metrics: AccountMetrics,
}

/// Stands in for accounts that are not configured.
#[derive(Debug)]
pub(super) struct UnknownAccount {
    /// Refuses everything, in the same time as that of a known account.
    pub guard: CallbackGuard,
    pub metrics: AccountMetrics,
}

impl Accounts {
    /// The accounts of a service that began at a time.
    pub fn new(configured: Vec<ConfiguredAccount>, metrics: &Metrics, began: Time) -> Self {
        let known = |configured: ConfiguredAccount| {
            let name = configured.account.name.clone();
            (name, KnownAccount::new(configured, metrics, began))
        };
        let unknown = UnknownAccount {
            guard: CallbackGuard::of_nobody(metrics),
            metrics: AccountMetrics::unknown(metrics),
        };
        Self { known: configured.into_iter().map(known).collect(), unknown }
    }

    /// A configured account. Names are lower case; a URL may have been typed otherwise.
    pub fn find(&self, name: &str) -> Option<&KnownAccount> {
        self.known.get(name).or_else(|| self.known.get(name.to_ascii_lowercase().as_str()))
    }

    /// All configured accounts.
    pub fn iter(&self) -> impl Iterator<Item = &KnownAccount> {
        self.known.values()
    }

    /// By which settings an account's receipts are read. The account may no longer be configured.
    pub fn settings(&self, name: &AccountName) -> Cow<'_, Account> {
        match self.known.get(name) {
            Some(known) => Cow::Borrowed(&known.account),
            None => Cow::Owned(Account::unconfigured(name.clone())),
        }
    }

    /// The settings of the accounts of these names; of all where none is named.
    pub fn settings_among(&self, names: &[AccountName]) -> Vec<Cow<'_, Account>> {
        if names.is_empty() {
            return self.iter().map(|known| Cow::Borrowed(&known.account)).collect();
        }
        names.iter().map(|name| self.settings(name)).collect()
    }
}

impl KnownAccount {
    fn new(configured: ConfiguredAccount, metrics: &Metrics, began: Time) -> Self {
        let ConfiguredAccount { account, callers, read_access } = configured;
        let name = account.name.as_str();
        Self {
            guard: CallbackGuard::new(&callers, name, metrics),
            reader: read_access.as_ref().map(AccountReader::new),
            metrics: AccountMetrics::new(metrics, name, began),
            account,
        }
    }
}
