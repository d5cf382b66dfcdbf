//! The state of one connection. The socket, the service and the bodies write it; its
//! [`ConnectionTimeouts`](super::timeouts::ConnectionTimeouts) read it.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering::Relaxed},
};

use super::limits::ConnectionLimits;

const FRESH: u8 = 0;
const HTTP_1: u8 = 1;
const HTTP_2: u8 = 2;
/// The most bytes that an HTTP/2 connection may send while no request begins, makes progress or is answered: one head,
/// the bodies that the flow-control windows allow without a reader, and as much again.
const MAX_UNASKED_BYTES: usize = 512 * 1024;

/// The state of one connection, in relaxed atomics. With HTTP/1 a single task writes and reads it, so no stronger
/// ordering is needed. With HTTP/2 each stream is a task of its own, and a change may be seen one poll later.
#[derive(Debug)]
pub(super) struct Activity {
    /// The limits of the connection. They are kept here so that each part of it needs one pointer only, which keeps
    /// connections small.
    pub limits: ConnectionLimits,
    protocol: AtomicU8,
    /// Requests that a handler is working on.
    handled: AtomicUsize,
    /// Whether a request began, was answered or made progress since the last [`Self::take_moved`].
    moved: AtomicBool,
    /// Bytes received since a request last began, made progress or was answered.
    unasked: AtomicUsize,
    /// Whether bytes were received since the last request began or was answered: they belong to the next head.
    heard: AtomicBool,
    /// Whether the rest of a request's body is being read only to be discarded.
    discarding: AtomicBool,
    /// Whether a body exceeded its timeout, so that the connection closes after the answer.
    given_up: AtomicBool,
}

/// What a connection waits for; each phase has its own timeout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// For the first complete head.
    Fresh,
    /// For the rest of a later request's head (HTTP/1).
    Head,
    /// For a handler, which has timeouts of its own.
    Handled,
    /// For the rest of a body whose request is answered already; it is discarded.
    Discarding,
    /// For the next request. The last answer may still be being written.
    Idle,
}

impl Activity {
    pub fn new(limits: ConnectionLimits) -> Self {
        Self {
            limits,
            protocol: AtomicU8::new(FRESH),
            handled: AtomicUsize::new(0),
            moved: AtomicBool::new(false),
            unasked: AtomicUsize::new(0),
            heard: AtomicBool::new(false),
            discarding: AtomicBool::new(false),
            given_up: AtomicBool::new(false),
        }
    }

    /// Whether the connection speaks HTTP/2.
    pub fn is_http_2(&self) -> bool {
        self.protocol.load(Relaxed) == HTTP_2
    }

    /// What the connection waits for.
    pub fn phase(&self) -> Phase {
        let protocol = self.protocol.load(Relaxed);
        match () {
            () if protocol == FRESH => Phase::Fresh,
            () if self.handled.load(Relaxed) > 0 => Phase::Handled,
            () if self.discarding.load(Relaxed) => Phase::Discarding,
            () if protocol == HTTP_1 && self.heard.load(Relaxed) => Phase::Head,
            () => Phase::Idle,
        }
    }

    /// Whether more bytes were received than [`Self::count_unasked`] allows.
    pub fn is_flooded(&self) -> bool {
        self.unasked.load(Relaxed) > MAX_UNASKED_BYTES
    }

    /// Whether there was progress since the last call; clears the flag.
    pub fn take_moved(&self) -> bool {
        // A load is cheaper than a swap, and mostly the flag is not set.
        self.moved.load(Relaxed) && self.moved.swap(false, Relaxed)
    }

    /// Notes that bytes were received (HTTP/1).
    pub fn hear(&self) {
        self.heard.store(true, Relaxed);
    }

    /// Counts bytes received by HTTP/2, and returns whether they are within the limit. Pings, settings, window
    /// updates and resets request nothing, so a client that sends only these is disconnected.
    pub fn count_unasked(&self, bytes: usize) -> bool {
        self.unasked.fetch_add(bytes, Relaxed) + bytes <= MAX_UNASKED_BYTES
    }

    /// Notes that bytes were sent. With HTTP/2 they may be no more than the answer to a ping, so that is no progress.
    pub fn write(&self) {
        if !self.is_http_2() {
            self.move_on();
        }
    }

    /// Notes that a part of a request's body was received.
    pub fn receive(&self) {
        self.unasked.store(0, Relaxed);
    }

    /// Notes that a request or an answer made progress.
    pub fn move_on(&self) {
        self.moved.store(true, Relaxed);
        self.unasked.store(0, Relaxed);
    }

    /// Notes that the rest of a body is being discarded.
    pub fn discard(&self) {
        self.discarding.store(true, Relaxed);
    }

    /// Notes that a discarded body was read to its end, so that the connection can be used again.
    pub fn discarded(&self) {
        self.heard.store(false, Relaxed);
        self.discarding.store(false, Relaxed);
    }

    /// Notes that a body exceeded its timeout. With HTTP/2 this ends its stream only, so the connection goes on.
    pub fn give_up(&self) {
        if !self.is_http_2() {
            self.discarding.store(true, Relaxed);
            self.given_up.store(true, Relaxed);
        }
    }

    /// Whether the connection closes after the answer.
    pub fn is_given_up(&self) -> bool {
        self.given_up.load(Relaxed)
    }

    /// Notes that a handler begins with a request, until the result is dropped.
    pub fn begin(self: &Arc<Self>, is_http_2: bool) -> Handled {
        self.protocol.store(if is_http_2 { HTTP_2 } else { HTTP_1 }, Relaxed);
        self.handled.fetch_add(1, Relaxed);
        self.turn();
        Handled(Arc::clone(self))
    }

    fn turn(&self) {
        self.heard.store(false, Relaxed);
        self.move_on();
    }
}

/// A request that a handler is working on. It is dropped when the request is answered, or when its client is gone.
#[derive(Debug)]
pub(super) struct Handled(Arc<Activity>);

impl Handled {
    pub fn activity(&self) -> &Arc<Activity> {
        &self.0
    }
}

impl Drop for Handled {
    fn drop(&mut self) {
        self.0.handled.fetch_sub(1, Relaxed);
        self.0.turn();
    }
}
