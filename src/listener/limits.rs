//! The limits of a listener.

use std::time::Duration;

/// The limits of a listener: for each connection, and for their number.
#[derive(Clone, Copy, Debug)]
pub struct ConnectionLimits {
    /// How long the head of a request may take. It counts from the connect for the first request, and from the first
    /// byte for later ones.
    pub header_timeout: Duration,
    /// How long a request's body may take, unless it is faster than `body_min_rate`.
    pub body_timeout: Duration,
    /// The average rate that a longer body must keep, in bytes per second.
    pub body_min_rate: u64,
    /// How long a connection may be idle between requests, and how long an answer may be left unread. While less than a
    /// quarter of the connections is free, the shorter of this and `header_timeout` applies.
    pub idle_timeout: Duration,
    /// The most open connections; further ones wait in the kernel's accept queue.
    pub max_connections: u32,
    /// The most header fields of an HTTP/1 request. With HTTP/2 only their size is limited.
    pub max_headers: usize,
    /// The largest head of a request, in bytes; 8192 at least.
    pub max_header_bytes: u32,
}

impl ConnectionLimits {
    /// Whether a body with `received` bytes `after` this time keeps [`Self::body_min_rate`].
    pub(super) fn body_may_go_on(&self, received: u64, after: Duration) -> bool {
        u128::from(received) * 1000 >= u128::from(self.body_min_rate) * after.as_millis()
    }
}
