//! What handlers use, grouped by subject. A handler takes the parts that it needs by `FromRef`, or the whole.

use std::{sync::Arc, time::Duration};

use axum::extract::FromRef;

use super::{
    ApiKeyList, LimitsConfig,
    accounts::Accounts,
    auth::{ApiKeys, RateLimits},
    metrics::{PendingMessages, Routes},
    question::Questions,
};
use crate::{
    access::{ConfiguredAccount, Networks},
    domain::{Clock, StatusTable},
    ingest::Ingest,
    storage::{Keep, Spool, Store},
    telemetry::Metrics,
};

/// What all handlers share. Cheap to clone: one reference count, as each callback clones it.
#[derive(Clone, Debug)]
pub struct AppState(Arc<Services>);

/// The parts of the state.
#[derive(Debug)]
pub struct Services {
    pub(super) accounts: Arc<Accounts>,
    pub(super) access: Arc<AccessControl>,
    pub(super) questions: Arc<Questions>,
    pub(super) operation: Arc<Operation>,
    pub(super) clock: Clock,
    pub(super) ingest: Ingest,
    pub(super) table: Arc<StatusTable>,
    /// How long a request other than a callback may take.
    pub(super) request_timeout: Duration,
}

/// Who may ask, and how often.
#[derive(Debug)]
pub(super) struct AccessControl {
    pub api_keys: ApiKeys,
    pub limits: RateLimits,
    /// The proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Networks,
}

/// What operators look at.
#[derive(Debug)]
pub(super) struct Operation {
    pub metrics: Metrics,
    pub routes: Routes,
    pub pending: PendingMessages,
    pub spool: Option<Spool>,
    pub keep_rejected: Keep,
}

/// What the state is made of.
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
    /// Where requests are counted, and what is scraped.
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
        let limits = parts.limits;
        let scans = limits.scans_within(parts.store.connections().most);
        Self(Arc::new(Services {
            accounts: Arc::new(Accounts::new(parts.accounts, &parts.metrics, parts.clock.now())),
            access: Arc::new(AccessControl {
                api_keys: ApiKeys::new(&parts.api_keys, limits.questions_per_key()),
                limits: RateLimits::new(limits),
                trusted_proxies: parts.trusted_proxies,
            }),
            questions: Arc::new(Questions::new(parts.store, parts.ingest.clone(), scans)),
            operation: Arc::new(Operation {
                routes: Routes::new(&parts.metrics),
                metrics: parts.metrics,
                pending: PendingMessages::default(),
                spool: parts.spool,
                keep_rejected: parts.keep_rejected,
            }),
            clock: parts.clock,
            ingest: parts.ingest,
            table: parts.table,
            request_timeout: parts.request_timeout,
        }))
    }
}

impl std::ops::Deref for AppState {
    type Target = Services;

    fn deref(&self) -> &Services {
        &self.0
    }
}

impl FromRef<AppState> for Arc<StatusTable> {
    fn from_ref(state: &AppState) -> Self {
        Arc::clone(&state.table)
    }
}

impl FromRef<AppState> for Arc<Questions> {
    fn from_ref(state: &AppState) -> Self {
        Arc::clone(&state.questions)
    }
}
