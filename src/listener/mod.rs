//! The accept loop: HTTP/1.1 and HTTP/2 connections without TLS, limited in number, time and size.
//!
//! May import `shutdown` and `telemetry`, and nothing else of this crate.
//!
//! `axum::serve` has no timeouts for slow clients. Here a connection is closed when a head takes longer than its
//! timeout or when the connection is idle for too long. A body that is too slow fails in its handler with `TimedOut`.
//! An HTTP/2 stream whose answer is not read is reset alone. The time that a handler needs is not limited here, but
//! in `http`.

mod activity;
mod answer_body;
mod connection;
mod limits;
mod log_limit;
mod metrics;
mod open_files;
mod protocol;
mod protocol_fault;
mod refused_head;
mod request_body;
mod service;
mod socket;
mod stall;
mod timeouts;

use std::{
    io::{self, ErrorKind},
    net::SocketAddr,
    sync::Arc,
    time::Duration,
};

use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    sync::Semaphore,
    time::sleep,
};

use self::{
    connection::{ConnectionContext, hold},
    log_limit::LogLimit,
    protocol::Protocol,
    protocol_fault::FaultLog,
};
pub use self::{limits::ConnectionLimits, metrics::ListenerMetrics, service::Service};
use crate::shutdown::Shutdown;

/// Opens a socket that listens on `address`.
///
/// # Errors
/// The error of the system call.
pub fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    /// The length of the accept queue, as far as the kernel allows it. Once it is full, clients retry their connect
    /// after a second or more.
    const BACKLOG: u32 = 4096;
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // Lets a restarted process listen while connections of the last one are in TIME_WAIT.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// A listening socket, the service behind it and its metrics.
#[derive(Debug)]
pub struct Listening<S> {
    /// The listening socket.
    pub socket: TcpListener,
    /// Answers the requests.
    pub service: S,
    /// Counts the connections.
    pub metrics: ListenerMetrics,
}

/// Accepts connections until the shutdown begins, then returns once all open connections have finished.
pub async fn serve<S: Service>(listening: Listening<S>, limits: ConnectionLimits, shutdown: Shutdown) {
    let Listening { socket, service, metrics } = listening;
    let slots = Arc::new(Semaphore::new(limits.max_connections as usize));
    let shared = ConnectionContext {
        service,
        limits,
        protocol: Protocol::new(&limits, &metrics),
        metrics,
        fault_log: FaultLog::default(),
        shutdown: shutdown.clone(),
        slots: Arc::clone(&slots),
    };
    tokio::select! {
        () = accept_all(&socket, Arc::new(shared)) => {}
        () = shutdown.begun() => {}
    }
    drop(socket);
    // All permits are free once the last connection has finished.
    let _ = slots.acquire_many(limits.max_connections).await;
}

/// Accepts connections forever; each holds a permit while it is open.
async fn accept_all<S: Service>(listener: &TcpListener, shared: Arc<ConnectionContext<S>>) {
    let (mut full, mut failing) = (LogLimit::default(), LogLimit::default());
    loop {
        if shared.slots.available_permits() == 0 && full.allow() {
            let connections = shared.limits.max_connections;
            tracing::warn!(
                connections,
                "as many connections as http.max_connections allows; new ones wait in the accept queue"
            );
        }
        let slot = Arc::clone(&shared.slots).acquire_owned().await.expect("nobody closes the semaphore");
        let (stream, peer) = accept(listener, &mut failing).await;
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            hold(shared, stream, peer).await;
            drop(slot);
        });
    }
}

/// Accepts the next connection, and retries after errors.
async fn accept(listener: &TcpListener, failing: &mut LogLimit) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            // The client has gone before it was accepted; there is nothing to log.
            Err(error) if is_client_error(error.kind()) => {}
            Err(error) => {
                if failing.allow() {
                    tracing::error!(%error, "connections cannot be accepted; retrying every 100 ms");
                }
                // Out of file descriptors or memory: an immediate retry would fail as well, and use the whole CPU.
                sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

fn is_client_error(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::ConnectionAborted | ErrorKind::ConnectionRefused | ErrorKind::ConnectionReset)
}
