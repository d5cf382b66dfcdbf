//! Detects the version of HTTP, and configures hyper for both.

use std::{io, time::Duration};

use hyper::server::conn::{http1, http2};
use hyper_util::rt::TokioTimer;
use tokio::{net::TcpStream, time::sleep};

use super::{limits::ConnectionLimits, metrics::ListenerMetrics, stall::Executor};

/// The connection preface of HTTP/2 (RFC 9113, section 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// hyper's settings for both versions. hyper-util's `auto` would choose as well, but each of its connections takes
/// the memory of an HTTP/2 one, twice that of HTTP/1.
pub(super) struct Protocol {
    pub http_1: http1::Builder,
    pub http_2: http2::Builder<Executor>,
}

impl Protocol {
    pub fn new(limits: &ConnectionLimits, metrics: &ListenerMetrics) -> Self {
        /// hyper's default. Any other number costs an allocation per request.
        const USUAL_HEADERS: usize = 100;
        let size = limits.max_header_bytes;
        let mut http_1 = http1::Builder::new();
        // hyper's timeout would also close idle connections; `ConnectionTimeouts` tells the two apart.
        http_1.header_read_timeout(None).max_header_size(size as usize).max_buf_size(size as usize);
        if limits.max_headers != USUAL_HEADERS {
            http_1.max_headers(limits.max_headers);
        }
        let mut http_2 =
            http2::Builder::new(Executor { timeout: limits.idle_timeout, stalled: metrics.stalled() });
        // Callbacks are small: a stream's window holds one body, a connection's window four.
        http_2
            .timer(TokioTimer::new())
            .max_header_list_size(size)
            .max_concurrent_streams(128)
            .max_pending_accept_reset_streams(20)
            .max_local_error_reset_streams(128)
            .initial_stream_window_size(64 * 1024)
            .initial_connection_window_size(256 * 1024)
            .max_send_buf_size(64 * 1024)
            .keep_alive_interval(Duration::from_secs(20))
            .keep_alive_timeout(Duration::from_secs(20));
        Self { http_1, http_2 }
    }
}

/// Whether a connection begins with the preface of HTTP/2. Peeks only, so that the bytes are left for hyper.
pub(super) async fn is_http_2(stream: &TcpStream) -> io::Result<bool> {
    let mut seen = [0; PREFACE.len()];
    let mut pause = Duration::from_millis(10);
    loop {
        let length = stream.peek(&mut seen).await?;
        if length == 0 || !PREFACE.starts_with(&seen[..length]) {
            return Ok(false);
        }
        if length == PREFACE.len() {
            return Ok(true);
        }
        // A peek returns at once while any byte is there. The growing pause keeps a preface that comes in pieces from
        // becoming a busy loop.
        sleep(pause).await;
        pause *= 2;
    }
}

#[cfg(test)]
mod tests {
    use tokio::{io::AsyncWriteExt, net::TcpListener};

    use super::*;

    async fn begins(pieces: &[&[u8]]) -> bool {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        client.set_nodelay(true).unwrap();
        let (stream, _) = listener.accept().await.unwrap();
        // The stream is kept: closing it would fail the writes.
        let asked = tokio::spawn(async move { (is_http_2(&stream).await.unwrap(), stream) });
        for piece in pieces {
            client.write_all(piece).await.unwrap();
            tokio::task::yield_now().await;
        }
        if pieces.is_empty() {
            drop(client);
        }
        asked.await.unwrap().0
    }

    #[tokio::test]
    async fn the_preface_tells_the_version_also_in_pieces() {
        assert!(begins(&[PREFACE]).await);
        assert!(begins(&[PREFACE, b"\0\0\0\x04\0\0\0\0\0"]).await);
        assert!(begins(&[b"P", b"RI * HTTP", b"/2.0\r\n\r\nSM\r\n\r\n"]).await);
        assert!(!begins(&[b"P", b"OST / HTTP/1.1\r\n"]).await);
        assert!(!begins(&[b"GET / HTTP/1.1\r\n"]).await);
        assert!(!begins(&[b"PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n"]).await);
        assert!(!begins(&[]).await, "one that says nothing and goes is no HTTP/2");
    }
}
