//! The service, put together: the same for the binary and for tests.

use std::{net::SocketAddr, time::Duration};

use anyhow::Context;
use axum::{ServiceExt, extract::Request};
use tokio::net::TcpListener;

use crate::{
    config::Config,
    domain::{Clock, Recipient},
    http::{self, AppState, Parts},
    shutdown::Shutdown,
    storage::Store,
};

/// The service, connected, migrated and listening, but not yet answering.
#[derive(Debug)]
pub struct App {
    /// The public one, and the internal one where there is one; never empty.
    listeners: Vec<(TcpListener, http::Service)>,
    store: Store,
    shutdown_timeout: Duration,
}

impl App {
    /// Connects to the store, migrates it unless told not to, and opens the listeners.
    ///
    /// # Errors
    /// Says what could not be reached or opened, and which key to look at.
    pub async fn build(config: &Config, clock: Clock) -> anyhow::Result<Self> {
        let store = connect(config).await?;
        if config.database.migrate {
            tracing::debug!("migrating the database; replicas take turns");
            store.migrate().await?;
        }
        let state = AppState::new(Parts {
            accounts: config.accounts()?,
            api_keys: config.auth.keys.clone(),
            clock,
            keep_rejected: config.rejected.keep(),
            store: store.clone(),
            table: config.status_table()?,
        });
        Recipient::warm_up();
        let listeners = match config.http.internal_bind {
            None => vec![(listen("http.bind", config.http.bind).await?, http::combined(state))],
            Some(internal) => vec![
                (listen("http.bind", config.http.bind).await?, http::public(state.clone())),
                (listen("http.internal_bind", internal).await?, http::internal(state)),
            ],
        };
        let shutdown_timeout = Duration::from_millis(config.http.shutdown_timeout_ms);
        Ok(Self { listeners, store, shutdown_timeout })
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
        let serving = self.listeners.into_iter().map(|(listener, service)| {
            let (service, begun) =
                (ServiceExt::<Request>::into_make_service(service), shutdown.clone().begun());
            async move { axum::serve(listener, service).with_graceful_shutdown(begun).await }
        });
        let serving = futures_util::future::join_all(serving);
        let store = self.store;
        let work = async {
            for ended in serving.await {
                if let Err(error) = ended {
                    tracing::error!(%error, "a listener failed");
                }
            }
            store.close().await;
        };
        if shutdown.within(self.shutdown_timeout, work).await {
            tracing::info!("stopped");
        } else {
            tracing::warn!("stopped at the deadline; connections that were still open are cut");
        }
    }
}

/// Connects to the store that the configuration names.
///
/// # Errors
/// Says which key to look at.
pub async fn connect(config: &Config) -> anyhow::Result<Store> {
    let hint = "cannot open the database; look at database.url (DATABASE_URL)";
    Store::connect(&config.database).await.context(hint)
}

async fn listen(key: &str, address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}; look at {key}"))
}
