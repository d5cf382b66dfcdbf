//! What a listener puts up with.

use std::time::Duration;

/// What a listener puts up with, for each of its connections and in all.
#[derive(Clone, Copy, Debug)]
pub struct ConnectionLimits {
    /// How long the head of a request may take: of the first one from the moment of connecting, of later
    /// ones from their first byte.
    pub header_timeout: Duration,
    /// How long a request's body may take, unless it comes faster than `body_min_rate`.
    pub body_timeout: Duration,
    /// What a body that takes longer has to bring on average, in bytes per second.
    pub body_min_rate: u64,
    /// How long a connection may rest between requests, and how long an answer may be left unread. Where
    /// less than a quarter of the connections is free, it is `header_timeout` if that is shorter.
    pub idle_timeout: Duration,
    /// The most connections at once; further ones wait in the system's queue.
    pub max_connections: u32,
    /// The most headers of a request by HTTP/1. By HTTP/2 their size bounds them.
    pub max_headers: usize,
    /// The largest head of a request, in bytes; 8192 at least.
    pub max_header_bytes: u32,
}

impl ConnectionLimits {
    /// Whether a body that has brought `received` bytes `after` so long a time keeps the rate.
    pub(super) fn body_may_go_on(&self, received: u64, after: Duration) -> bool {
        u128::from(received) * 1000 >= u128::from(self.body_min_rate) * after.as_millis()
    }
}
