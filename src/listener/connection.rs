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

/// What all connections of a listener share.
pub(super) struct ConnectionContext<S> {
    pub service: S,
    pub limits: ConnectionLimits,
    pub metrics: ListenerMetrics,
    pub fault_log: FaultLog,
    pub protocol: Protocol,
    pub shutdown: Shutdown,
    /// One permit for each further connection that may be open.
    pub slots: Arc<Semaphore>,
}

/// Serves a connection to its end.
pub(super) async fn hold<S: Service>(shared: Arc<ConnectionContext<S>>, stream: TcpStream, peer: SocketAddr) {
    let _open = shared.metrics.open();
    // Each answer is written in one piece, so Nagle's algorithm could only delay it. A failure here means that the
    // connection is broken, which the first read reports.
    let _ = stream.set_nodelay(true);
    let activity = Arc::new(Activity::new(shared.limits));
    let mut timeouts = pin!(ConnectionTimeouts::new(Arc::clone(&activity), &shared.slots));
    let Some(is_http_2) = begin(&stream, timeouts.as_mut(), &shared).await else { return };
    let socket = TokioIo::new(Socket::new(stream, Arc::clone(&activity), is_http_2));
    let noted = ConnectionService { service: shared.service.clone(), peer, activity: Arc::clone(&activity) };
    if is_http_2 {
        let mut connection = Box::pin(shared.protocol.http_2.serve_connection(socket, noted));
        // Boxed, so that the future of an HTTP/1 connection stays small.
        Box::pin(serve(connection.as_mut(), timeouts, &activity, &shared)).await;
    } else {
        let connection = pin!(shared.protocol.http_1.serve_connection(socket, noted));
        serve(connection, timeouts, &activity, &shared).await;
    }
}

/// Waits for the first bytes and returns whether they are HTTP/2; none where they do not come in time, or at shutdown.
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
                    tracing::debug!(%error, "a connection failed");
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
                    tracing::debug!("a connection exceeded its timeout and is closed");
                    return;
                }
            }
        }
    }
}
