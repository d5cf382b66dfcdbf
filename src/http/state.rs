//! What every handler may use.

use std::{collections::HashMap, sync::Arc};

use super::{
    ApiKeyList,
    auth::{ApiKeys, CallbackTokens},
};
use crate::{
    domain::{Account, AccountConfig, AccountName, Clock, StatusTable},
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

/// What the handlers' state is made of.
#[derive(Debug)]
pub struct Parts {
    /// The accounts whose callbacks are taken.
    pub accounts: Vec<(AccountName, AccountConfig)>,
    /// The API keys in force.
    pub api_keys: ApiKeyList,
    /// The time of day.
    pub clock: Clock,
    /// How much of the log of refused bodies is kept.
    pub keep_rejected: Keep,
    /// Where receipts and messages are kept.
    pub store: Store,
    /// The status codes in force.
    pub table: StatusTable,
}

impl AppState {
    /// Puts the parts together.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        let Parts { accounts, api_keys, clock, keep_rejected, store, table } = parts;
        let known = |(name, config): (AccountName, AccountConfig)| {
            let account =
                Account { name: name.clone(), time_zone: config.time_zone, country: config.country };
            (name, KnownAccount { account, tokens: CallbackTokens::new(&config.callback_tokens.0) })
        };
        let table = Arc::new(table);
        Self(Arc::new(Shared {
            accounts: accounts.into_iter().map(known).collect(),
            api_keys: ApiKeys::new(&api_keys),
            clock,
            ingest: Ingest::new(store.clone(), Arc::clone(&table), keep_rejected),
            keep_rejected,
            store,
            table,
        }))
    }
}
