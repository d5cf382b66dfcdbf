//! Opens the listeners.

use std::{net::SocketAddr, time::Duration};

use anyhow::Context;
use tokio::net::TcpListener;

use crate::{
    config::Config,
    http::{self, AppState},
    listener::{self, ConnectionLimits, ListenerMetrics, Listening},
    telemetry::Metrics,
};

/// Opens the public listener, and the internal one where `http.internal_bind` is set.
///
/// # Errors
/// Names the key to check.
pub(super) fn open(
    config: &Config,
    state: AppState,
    limits: &ConnectionLimits,
    metrics: &Metrics,
) -> anyhow::Result<Vec<Listening<http::HttpService>>> {
    let metrics = |name| ListenerMetrics::new(metrics, name, limits.max_connections);
    let socket = listen("http.bind", config.http.bind)?;
    let public = |service| Listening { socket, service, metrics: metrics("public") };
    let Some(internal) = config.http.internal_bind else { return Ok(vec![public(http::combined(state))]) };
    let socket = listen("http.internal_bind", internal)?;
    let internal = Listening { socket, service: http::internal(state.clone()), metrics: metrics("internal") };
    Ok(vec![public(http::public(state)), internal])
}

/// The limits of the listeners' connections.
pub(super) fn limits(Config { http: config, database, .. }: &Config) -> ConnectionLimits {
    // SQLite opens three files per connection; the spool, the log and the runtime need a few more.
    let reserved = database.max_connections.get().saturating_mul(4).saturating_add(64);
    let limits = ConnectionLimits {
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
