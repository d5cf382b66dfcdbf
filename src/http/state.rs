//! What every handler may use.

use std::{collections::HashMap, sync::Arc};

use super::auth::{ApiKeys, CallbackTokens};
use crate::{
    domain::{Account, AccountConfig, AccountName, Clock, StatusTable},
    ingest::Ingest,
    storage::{Keep, Store},
};

/// What every handler may use. Cheap to clone.
#[derive(Clone, Debug)]
pub struct AppState(Arc<Shared>);

/// The parts.
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

impl AppState {
    /// Puts the parts together.
    #[must_use]
    pub fn new(
        store: Store,
        accounts: Vec<(AccountName, AccountConfig)>,
        (table, keep_rejected): (Arc<StatusTable>, Keep),
        (keys, clock): (&super::ApiKeyList, Clock),
    ) -> Self {
        let known = |(name, config): (AccountName, AccountConfig)| {
            let account =
                Account { name: name.clone(), time_zone: config.time_zone, country: config.country };
            (name, KnownAccount { account, tokens: CallbackTokens::new(&config.callback_tokens.0) })
        };
        Self(Arc::new(Shared {
            accounts: accounts.into_iter().map(known).collect(),
            api_keys: ApiKeys::new(keys),
            clock,
            ingest: Ingest::new(store.clone(), Arc::clone(&table), keep_rejected),
            keep_rejected,
            store,
            table,
        }))
    }
}
