//! The service, put together: the same for the binary and for tests.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::Context;
use tokio::net::TcpListener;

use crate::{
    config::{Config, ConfigError},
    domain::{Clock, Recipient},
    http::{self, AppState, Parts},
    ingest::{Ingest, IngestMetrics, IngestParts, IngestTasks, Prepare},
    listener::{self, Limits},
    retention::{Pace, Purge, Retention, RetentionTask},
    shutdown::Shutdown,
    storage::{SpoolFile, Store, StoreError},
    telemetry::{Metrics, Traces},
};

/// The service, with its store and its listeners, but not yet answering.
#[derive(Debug)]
pub struct App {
    /// The public one, and the internal one where there is one; never empty.
    listeners: Vec<(TcpListener, http::Service)>,
    tasks: IngestTasks,
    retention: RetentionTask,
    store: Store,
    limits: Limits,
    traces: Traces,
    shutdown_timeout: Duration,
}

impl App {
    /// Opens the spool and the listeners, connects to the store and migrates it unless told not to. With
    /// a spool it also starts while a database cannot be reached.
    ///
    /// # Errors
    /// Says what could not be reached or opened, and which key to look at.
    pub async fn build(config: &Config, clock: Clock) -> anyhow::Result<Self> {
        let spool = match config.spool.file() {
            Some(path) => Some(SpoolFile::open(path, config.spool.max_bytes).await?),
            None => None,
        };
        let store = open(config).await?;
        let unprepared = prepare(config, &store, spool.is_some()).await?;
        let table = Arc::new(config.status_table()?);
        let accounts = config.accounts()?;
        let known = accounts.iter().map(|known| (known.account.name.clone(), known.account.clone()));
        let metrics = Metrics::default();
        let (ingest, tasks) = Ingest::start(IngestParts {
            store: store.clone(),
            unprepared,
            spool: spool.clone(),
            accounts: Arc::new(known.collect()),
            table: Arc::clone(&table),
            config: config.ingest,
            keep_rejected: config.rejected.keep(),
            metrics: IngestMetrics::new(&metrics, &table),
        });
        let retention = retention(config, &store, &ingest, &clock);
        let state = AppState::new(Parts {
            accounts,
            api_keys: config.auth.keys.clone(),
            clock,
            ingest,
            keep_rejected: config.rejected.keep(),
            limits: config.limits,
            metrics,
            spool,
            store: store.clone(),
            table,
            trusted_proxies: config.http.trusted_proxies().map_err(ConfigError::TrustedProxies)?,
        });
        Recipient::warm_up();
        let listeners = listeners(config, state)?;
        let shutdown_timeout = Duration::from_millis(config.http.shutdown_timeout_ms);
        let (limits, traces) = (limits(config), Traces::default());
        Ok(Self { listeners, tasks, retention, store, limits, traces, shutdown_timeout })
    }

    /// Finishes these at the end as well.
    #[must_use]
    pub fn flushing(self, traces: Traces) -> Self {
        Self { traces, ..self }
    }

    /// Where callbacks come in, and where questions do.
    ///
    /// # Errors
    /// Where the system does not know the address of a socket.
    pub fn addresses(&self) -> std::io::Result<(SocketAddr, SocketAddr)> {
        let (callbacks, _) = &self.listeners[0];
        let (questions, _) = &self.listeners[self.listeners.len() - 1];
        Ok((callbacks.local_addr()?, questions.local_addr()?))
    }

    /// Answers until the end begins, then finishes what was accepted, within the deadline.
    pub async fn run(self, shutdown: Shutdown) {
        let serve = |(listener, service)| listener::serve(listener, service, self.limits, shutdown.clone());
        let serving = self.listeners.into_iter().map(serve);
        let serving = futures_util::future::join_all(serving);
        let (store, tasks, retention, traces) = (self.store, self.tasks, self.retention, self.traces);
        let work = async {
            serving.await;
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

/// Starts to delete what is too old, beside the callbacks that come in.
fn retention(config: &Config, store: &Store, ingest: &Ingest, clock: &Clock) -> RetentionTask {
    let ingest = ingest.clone();
    let pace = Pace::beside(move || ingest.is_committing());
    RetentionTask::start(Purge::new(store.clone(), how_long(config), pace), clock.clone())
}

/// How long everything is kept.
#[must_use]
pub fn how_long(config: &Config) -> Retention {
    Retention { config: config.retention, rejected: config.rejected.keep() }
}

/// Opens the store that the configuration names.
///
/// # Errors
/// Says which key to look at.
pub async fn open(config: &Config) -> anyhow::Result<Store> {
    Store::open(&config.database).await.context(HINT)
}

const HINT: &str = "cannot open the database; look at database.url (DATABASE_URL)";

/// Prepares the database. One that cannot be reached is left to be prepared later, where a spool takes
/// the callbacks meanwhile.
async fn prepare(
    config: &Config,
    store: &Store,
    has_spool: bool,
) -> anyhow::Result<Option<(Prepare, StoreError)>> {
    let prepare = Prepare { migrate: config.database.migrate };
    tracing::debug!("preparing the database; replicas take turns");
    match prepare.run(store).await {
        Ok(()) => Ok(None),
        Err(error) if has_spool && error.is_unreachable() => Ok(Some((prepare, error))),
        Err(error) => Err(error).context(HINT),
    }
}

fn listeners(config: &Config, state: AppState) -> anyhow::Result<Vec<(TcpListener, http::Service)>> {
    let public = listen("http.bind", config.http.bind)?;
    Ok(match config.http.internal_bind {
        None => vec![(public, http::combined(state))],
        Some(internal) => {
            let internal = listen("http.internal_bind", internal)?;
            vec![(public, http::public(state.clone())), (internal, http::internal(state))]
        }
    })
}

/// What the listeners put up with.
fn limits(Config { http: config, database, .. }: &Config) -> Limits {
    // SQLite has three files open for each connection; the spool, the log and the runtime have a few.
    let reserved = database.max_connections.get().saturating_mul(4).saturating_add(64);
    let limits = Limits {
        header_timeout: Duration::from_millis(config.header_timeout_ms.get()),
        body_timeout: Duration::from_millis(config.body_timeout_ms.get()),
        body_min_rate: config.body_min_rate.get(),
        idle_timeout: Duration::from_millis(config.idle_timeout_ms.get()),
        max_connections: config.max_connections.get(),
        max_headers: config.max_headers.get().into(),
        max_header_bytes: config.max_header_bytes,
    };
    limits.within_open_files(1 + u32::from(config.internal_bind.is_some()), reserved)
}

fn listen(key: &str, address: SocketAddr) -> anyhow::Result<TcpListener> {
    listener::bind(address).with_context(|| format!("cannot listen on {address}; look at {key}"))
}
