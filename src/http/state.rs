//! What every handler may use.

use std::{borrow::Cow, collections::HashMap, sync::Arc, time::Duration};

use super::{
    ApiKeyList, LimitsConfig,
    auth::{AccountReader, ApiKeys, CallbackGuard, RateLimits},
    metrics::{AccountMetrics, Pending, Routes},
    pace::QuestionPace,
};
use crate::{
    access::{ConfiguredAccount, Networks},
    domain::{Account, AccountName, Clock, StatusTable, Time},
    ingest::Ingest,
    storage::{Keep, Spool, Store},
    telemetry::Metrics,
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
    pub(super) limits: RateLimits,
    /// The guard of accounts that are none.
    pub(super) nobody: CallbackGuard,
    pub(super) metrics: Metrics,
    pub(super) pace: QuestionPace,
    pub(super) pending: Pending,
    /// How long a request other than a callback may take.
    pub(super) request_timeout: Duration,
    pub(super) routes: Routes,
    pub(super) spool: Option<Spool>,
    pub(super) store: Store,
    pub(super) table: Arc<StatusTable>,
    pub(super) trusted_proxies: Networks,
    /// Of callers whose account is none of ours.
    pub(super) unknown: AccountMetrics,
}

/// An account, who may call it, and who reads it in Exotel's way.
#[derive(Debug)]
pub(super) struct KnownAccount {
    pub account: Account,
    pub guard: CallbackGuard,
    pub reader: Option<AccountReader>,
    pub metrics: AccountMetrics,
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

impl std::ops::Deref for AppState {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl Shared {
    /// Makes a step of a longer change, which yields to callbacks: it waits a second at most for the pause that the
    /// steps before it have made necessary.
    pub(super) async fn give_way<T>(&self, step: impl Future<Output = T>) -> T {
        self.pace.steps.take(step, || self.ingest.is_committing()).await
    }

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
    /// The accounts whose callbacks are taken, who may call them, and who may read them.
    pub accounts: Vec<ConfiguredAccount>,
    /// The API keys in force.
    pub api_keys: ApiKeyList,
    /// The time of day.
    pub clock: Clock,
    /// The way of a callback to disk.
    pub ingest: Ingest,
    /// How much of the log of refused bodies is kept.
    pub keep_rejected: Keep,
    /// How often one caller may ask, and be refused.
    pub limits: LimitsConfig,
    /// Where requests are counted, and what is read.
    pub metrics: Metrics,
    /// How long a request other than a callback may take.
    pub request_timeout: Duration,
    /// Where callbacks are kept while the store fails.
    pub spool: Option<Spool>,
    /// Where receipts and messages are kept.
    pub store: Store,
    /// The status codes in force.
    pub table: Arc<StatusTable>,
    /// The proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Networks,
}

impl AppState {
    /// Puts the parts together.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        let Parts {
            accounts,
            api_keys,
            clock,
            ingest,
            keep_rejected,
            limits,
            metrics,
            request_timeout,
            spool,
            store,
            table,
            trusted_proxies,
        } = parts;
        let began = clock.now();
        let known = |configured: ConfiguredAccount| {
            let name = configured.account.name.clone();
            (name, KnownAccount::new(configured, &metrics, began))
        };
        Self(Arc::new(Shared {
            accounts: accounts.into_iter().map(known).collect(),
            api_keys: ApiKeys::new(&api_keys, limits.questions_per_key()),
            clock,
            ingest,
            keep_rejected,
            nobody: CallbackGuard::of_nobody(&metrics),
            pace: QuestionPace::new(limits.scans_within(store.connections().most)),
            limits: RateLimits::new(limits),
            pending: Pending::default(),
            request_timeout,
            routes: Routes::new(&metrics),
            spool,
            store,
            table,
            trusted_proxies,
            unknown: AccountMetrics::unknown(&metrics),
            metrics,
        }))
    }
}
