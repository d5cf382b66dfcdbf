//! What every handler may use.

use std::{borrow::Cow, collections::HashMap, sync::Arc};

use super::{
    ApiKeyList,
    auth::{ApiKeys, CallbackTokens},
};
use crate::{
    domain::{Account, AccountName, Clock, Secret, StatusTable, StringList},
    ingest::Ingest,
    storage::{Keep, Store},
};

/// What every handler may use. Cheap to clone.
#[derive(Clone, Debug)]
pub struct AppState(Arc<Shared>);

/// What all handlers share.
#[derive(Debug)]
pub struct Shared {
    pub(super) accounts: HashMap<AccountName, KnownAccount>,
    pub(super) api_keys: ApiKeys,
    pub(super) clock: Clock,
    pub(super) ingest: Ingest,
    pub(super) keep_rejected: Keep,
    pub(super) store: Store,
    pub(super) table: Arc<StatusTable>,
}

/// An account, and what opens its callback URL.
#[derive(Debug)]
pub(super) struct KnownAccount {
    pub account: Account,
    pub tokens: CallbackTokens,
}

impl std::ops::Deref for AppState {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl Shared {
    /// How an account's receipts are read; the account may be configured no longer.
    pub(super) fn account(&self, name: &AccountName) -> Cow<'_, Account> {
        match self.accounts.get(name) {
            Some(known) => Cow::Borrowed(&known.account),
            None => Cow::Owned(Account::unconfigured(name.clone())),
        }
    }

    /// The accounts of these names; all where none is named.
    pub(super) fn accounts_among(&self, names: &[AccountName]) -> Vec<Cow<'_, Account>> {
        if names.is_empty() {
            return self.accounts.values().map(|known| Cow::Borrowed(&known.account)).collect();
        }
        names.iter().map(|name| self.account(name)).collect()
    }
}

/// What the handlers' state is made of.
#[derive(Debug)]
pub struct Parts {
    /// The accounts whose callbacks are taken, and the tokens that open their URLs.
    pub accounts: Vec<(Account, StringList<Secret>)>,
    /// The API keys in force.
    pub api_keys: ApiKeyList,
    /// The time of day.
    pub clock: Clock,
    /// The way of a callback to disk.
    pub ingest: Ingest,
    /// How much of the log of refused bodies is kept.
    pub keep_rejected: Keep,
    /// Where receipts and messages are kept.
    pub store: Store,
    /// The status codes in force.
    pub table: Arc<StatusTable>,
}

impl AppState {
    /// Puts the parts together.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        let Parts { accounts, api_keys, clock, ingest, keep_rejected, store, table } = parts;
        let known = |(account, tokens): (Account, StringList<Secret>)| {
            (account.name.clone(), KnownAccount { account, tokens: CallbackTokens::new(&tokens.0) })
        };
        Self(Arc::new(Shared {
            accounts: accounts.into_iter().map(known).collect(),
            api_keys: ApiKeys::new(&api_keys),
            clock,
            ingest,
            keep_rejected,
            store,
            table,
        }))
    }
}
