//! One connection, from its first byte to its end.

use std::{
    future::poll_fn,
    net::SocketAddr,
    pin::{Pin, pin},
    sync::Arc,
};

use hyper_util::{rt::TokioIo, server::graceful::GracefulConnection};
use tokio::{net::TcpStream, sync::Semaphore};

use super::{
    activity::Activity,
    limits::ConnectionLimits,
    metrics::ListenerMetrics,
    protocol::{Protocol, is_http_2},
    protocol_fault::{FaultLog, ProtocolFault},
    service::{ConnectionService, Service},
    socket::Socket,
    timeouts::{ConnectionTimeouts, Expiry},
};
use crate::shutdown::Shutdown;

/// What the connections of a listener have in common.
pub(super) struct ConnectionContext<S> {
    pub service: S,
    pub limits: ConnectionLimits,
    pub metrics: ListenerMetrics,
    pub fault_log: FaultLog,
    pub protocol: Protocol,
    pub shutdown: Shutdown,
    /// One for each connection that may still come.
    pub slots: Arc<Semaphore>,
}

/// Serves a connection to its end.
pub(super) async fn hold<S: Service>(shared: Arc<ConnectionContext<S>>, stream: TcpStream, peer: SocketAddr) {
    let _open = shared.metrics.open();
    // Answers are written whole. Where it fails the connection is broken, as will be seen.
    let _ = stream.set_nodelay(true);
    let activity = Arc::new(Activity::new(shared.limits));
    let mut timeouts = pin!(ConnectionTimeouts::new(Arc::clone(&activity), &shared.slots));
    let Some(is_http_2) = begin(&stream, timeouts.as_mut(), &shared).await else { return };
    let socket = TokioIo::new(Socket::new(stream, Arc::clone(&activity), is_http_2));
    let noted = ConnectionService { service: shared.service.clone(), peer, activity: Arc::clone(&activity) };
    if is_http_2 {
        let mut connection = Box::pin(shared.protocol.http_2.serve_connection(socket, noted));
        // In a box of its own, for the sake of the small connections of HTTP/1.
        Box::pin(serve(connection.as_mut(), timeouts, &activity, &shared)).await;
    } else {
        let connection = pin!(shared.protocol.http_1.serve_connection(socket, noted));
        serve(connection, timeouts, &activity, &shared).await;
    }
}

/// Waits for the first bytes, and says whether they are HTTP/2. None where they do not come.
async fn begin<S>(
    stream: &TcpStream,
    mut timeouts: Pin<&mut ConnectionTimeouts<'_>>,
    shared: &ConnectionContext<S>,
) -> Option<bool> {
    tokio::select! {
        biased;
        found = is_http_2(stream) => found.ok(),
        _ = poll_fn(|cx| timeouts.as_mut().poll(cx)) => {
            shared.metrics.cut();
            None
        }
        () = shared.shutdown.clone().begun() => None,
    }
}

async fn serve<C, S>(
    mut connection: Pin<&mut C>,
    mut timeouts: Pin<&mut ConnectionTimeouts<'_>>,
    activity: &Activity,
    shared: &ConnectionContext<S>,
) where
    C: GracefulConnection<Error = hyper::Error>,
{
    let (mut ending, mut ends) = (pin!(shared.shutdown.clone().begun()), false);
    loop {
        tokio::select! {
            biased;
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    if let Some(fault) = ProtocolFault::of(&error, activity) {
                        shared.metrics.fault(fault);
                        shared.fault_log.write(fault, &error);
                    }
                    tracing::debug!(%error, "a connection broke off");
                }
                return;
            }
            () = ending.as_mut(), if !ends => {
                ends = true;
                connection.as_mut().graceful_shutdown();
            }
            verdict = poll_fn(|cx| timeouts.as_mut().poll(cx)) => match verdict {
                Expiry::Close => connection.as_mut().graceful_shutdown(),
                Expiry::Cut => {
                    shared.metrics.cut();
                    tracing::debug!("a connection took too long and is cut");
                    return;
                }
            }
        }
    }
}
