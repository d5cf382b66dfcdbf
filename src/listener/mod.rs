//! The accept loop: connections by HTTP/1.1 and HTTP/2 without TLS, bounded in number, time and size.
//!
//! May import `shutdown` and `telemetry`, and nothing else of ours.
//!
//! `axum::serve` waits for clients for ever. Here each connection has a `ConnectionTimeouts`: it ends where a head
//! takes too long, or where it rests too long; a body that comes too slowly fails for its handler, and an answer by
//! HTTP/2 that is not read ends alone. What a handler itself takes is not bounded here.

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

/// Listens on an address.
///
/// # Errors
/// What the system says.
pub fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    /// How many connections wait for being accepted, where the system allows so many. Beyond it their
    /// clients try again after seconds.
    const BACKLOG: u32 = 4096;
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // A restart may listen while connections of the process before are still being closed.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// A socket, what it serves, and where its connections are counted.
#[derive(Debug)]
pub struct Listening<S> {
    /// Where connections come in.
    pub socket: TcpListener,
    /// What answers.
    pub service: S,
    /// Where connections are counted.
    pub metrics: ListenerMetrics,
}

/// Serves the listener's connections until the end begins, and then until those that are under way have
/// finished.
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
    // All slots are free once no connection is left.
    let _ = slots.acquire_many(limits.max_connections).await;
}

/// Accepts connections while there are slots, for ever.
async fn accept_all<S: Service>(listener: &TcpListener, shared: Arc<ConnectionContext<S>>) {
    let (mut full, mut failing) = (LogLimit::default(), LogLimit::default());
    loop {
        if shared.slots.available_permits() == 0 && full.allow() {
            let connections = shared.limits.max_connections;
            tracing::warn!(connections, "as many connections as http.max_connections allows; others wait");
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

/// The next connection, however often it takes.
async fn accept(listener: &TcpListener, failing: &mut LogLimit) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            // The client's own fault, and gone with it.
            Err(error) if is_client_error(error.kind()) => {}
            Err(error) => {
                if failing.allow() {
                    tracing::error!(%error, "connections cannot be accepted; tried again and again");
                }
                // Out of files or memory: at once it would fail again.
                sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

fn is_client_error(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::ConnectionAborted | ErrorKind::ConnectionRefused | ErrorKind::ConnectionReset)
}
