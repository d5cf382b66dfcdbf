//! Puts the parts of the service together, for the binary as for tests.

mod damage;
mod database;
mod listeners;
mod service_clock;

use std::{collections::HashMap, net::SocketAddr, sync::Arc, time::Duration};

pub use self::{
    damage::check_exists,
    database::{migrate, open},
};
use self::{database::prepare, service_clock::ServiceClock};
use crate::{
    background::BackgroundTask,
    config::{Config, ConfigError},
    domain::{Account, AccountName, Clock, Recipient},
    http::{self, AppState, Parts},
    ingest::{Ingest, IngestMetrics, IngestParts, IngestTasks},
    listener::{self, ConnectionLimits, Listening},
    retention::{Purge, Retention, RetentionJob, RetentionMetrics, StepPace},
    shutdown::Shutdown,
    storage::{Store, Trouble},
    telemetry::{Metrics, Traces},
};

/// The service with its store and listeners open, before it accepts connections.
#[derive(Debug)]
pub struct App {
    /// The public listener, then the internal one if there is one; never empty.
    listeners: Vec<Listening<http::HttpService>>,
    tasks: IngestTasks,
    retention: BackgroundTask,
    clock: Option<BackgroundTask>,
    store: Store,
    limits: ConnectionLimits,
    traces: Traces,
    shutdown_timeout: Duration,
    trouble: Option<Trouble>,
}

impl App {
    /// Opens the spool and the listeners, connects to the store and migrates it unless `database.migrate` is false.
    /// With a spool it starts within seconds, whatever the state of the database.
    ///
    /// # Errors
    /// Says what could not be reached or opened, and names the key to check.
    pub async fn build(config: &Config, clock: Clock) -> anyhow::Result<Self> {
        let spool = damage::open_spool(config).await?;
        let store = open(config)?.timed_by(&clock);
        let unprepared = prepare(config, &store, spool.is_some()).await?;
        damage::look_at_store(&store);
        let (service_clock, clock_task) =
            ServiceClock::start(clock.clone(), &store, unprepared.is_none()).await;
        let table = Arc::new(config.status_table()?);
        let accounts = config.accounts()?;
        let known = accounts.iter().map(|known| (known.account.name.clone(), known.account.clone()));
        let known: Arc<HashMap<AccountName, Account>> = Arc::new(known.collect());
        let metrics = Metrics::default();
        let (ingest, tasks) = Ingest::start(IngestParts {
            store: store.clone(),
            unprepared,
            spool: spool.clone(),
            table: Arc::clone(&table),
            config: config.ingest,
            keep_rejected: config.rejected.keep(),
            metrics: IngestMetrics::new(&metrics, &table, known.keys()),
            accounts: known,
        });
        let trouble = ingest.trouble();
        let committing = ingest.clone();
        let pace = StepPace::beside(move || committing.is_committing());
        let purge = Purge::new(store.clone(), how_long(config), pace, clock.clone());
        let retention_metrics = RetentionMetrics::new(&metrics, clock.now());
        let retention = BackgroundTask::start(RetentionJob::new(purge, clock.clone(), retention_metrics));
        let state = AppState::new(Parts {
            accounts,
            api_keys: config.auth.keys.clone(),
            clock: service_clock,
            ingest,
            keep_rejected: config.rejected.keep(),
            limits: config.limits,
            metrics: metrics.clone(),
            request_timeout: Duration::from_millis(config.http.request_timeout_ms.get()),
            spool,
            store: store.clone(),
            table,
            trusted_proxies: config.http.trusted_proxies().map_err(ConfigError::TrustedProxies)?,
        });
        Recipient::warm_up();
        let limits = listeners::limits(config);
        let listeners = listeners::open(config, state, &limits, &metrics)?;
        let shutdown_timeout = Duration::from_millis(config.http.shutdown_timeout_ms);
        let traces = Traces::default();
        let clock = clock_task;
        Ok(Self { listeners, tasks, retention, clock, store, limits, traces, shutdown_timeout, trouble })
    }

    /// Exports the remaining spans of `traces` at the shutdown as well.
    #[must_use]
    pub fn flushing(self, traces: Traces) -> Self {
        Self { traces, ..self }
    }

    /// Why the store was not ready when the service was built; none when it was.
    #[must_use]
    pub fn store_trouble(&self) -> Option<Trouble> {
        self.trouble
    }

    /// The addresses for callbacks and for questions, in this order.
    ///
    /// # Errors
    /// When the address of a socket cannot be read.
    pub fn addresses(&self) -> std::io::Result<(SocketAddr, SocketAddr)> {
        let address = |at: usize| self.listeners[at].socket.local_addr();
        Ok((address(0)?, address(self.listeners.len() - 1)?))
    }

    /// Serves until the shutdown begins, then finishes accepted requests within `http.shutdown_timeout_ms`.
    pub async fn run(self, shutdown: Shutdown) {
        let serve = |listening| listener::serve(listening, self.limits, shutdown.clone());
        let serving = self.listeners.into_iter().map(serve);
        let serving = futures_util::future::join_all(serving);
        let (store, tasks, retention, traces) = (self.store, self.tasks, self.retention, self.traces);
        let clock = self.clock;
        let work = async {
            serving.await;
            if let Some(clock) = clock {
                clock.finish().await;
            }
            retention.finish().await;
            tasks.finish().await;
            store.close().await;
            traces.finish().await;
        };
        if shutdown.within(self.shutdown_timeout, work).await {
            tracing::info!("stopped");
        } else {
            tracing::warn!("stopped at the deadline; connections that were still open are cut");
        }
    }
}

/// The retention times of messages, receipts and refused bodies.
#[must_use]
pub fn how_long(config: &Config) -> Retention {
    Retention { config: config.retention, rejected: config.rejected.keep() }
}
