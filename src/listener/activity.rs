//! What happens on a connection, as its parts note it for [`ConnectionTimeouts`](super::timeouts::ConnectionTimeouts).

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering::Relaxed},
};

use super::limits::ConnectionLimits;

const FRESH: u8 = 0;
const HTTP_1: u8 = 1;
const HTTP_2: u8 = 2;
/// How many bytes may come in by HTTP/2 while no request begins, is answered or goes on: the head of a request, what
/// the windows allow of bodies that nobody reads, and as much again.
const MAX_UNASKED_BYTES: usize = 512 * 1024;

/// What happens on one connection. One task polls it all by HTTP/1, so nothing here is ordered by more
/// than that; by HTTP/2 a note may be seen at the next turn.
#[derive(Debug)]
pub(super) struct Activity {
    /// What the connection may take. Here for whoever looks at the rest: connections are to be small.
    pub limits: ConnectionLimits,
    protocol: AtomicU8,
    /// How many requests their handlers have.
    handled: AtomicUsize,
    /// Something was begun, answered or written since this was looked at last.
    moved: AtomicBool,
    /// How many bytes have come in since a request was begun or answered, or a body went on.
    unasked: AtomicUsize,
    /// Bytes came in since the last request began or was answered: the next one's head.
    heard: AtomicBool,
    /// The rest of a body is not wanted any more,
    discarding: AtomicBool,
    /// and not waited for either.
    given_up: AtomicBool,
}

/// What a connection is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// There was no whole request yet.
    Fresh,
    /// A later request has begun, and its head is not complete.
    Head,
    /// A handler is at work; it has limits of its own.
    Handled,
    /// The answer was given before the request's end, of which nothing more is wanted.
    Discarding,
    /// Nothing is asked. An answer may still be on its way.
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

    /// Whether requests come by HTTP/2.
    pub fn is_http_2(&self) -> bool {
        self.protocol.load(Relaxed) == HTTP_2
    }

    /// What the connection is at.
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

    /// Whether more has come in than [`Self::count_unasked`] allows.
    pub fn is_flooded(&self) -> bool {
        self.unasked.load(Relaxed) > MAX_UNASKED_BYTES
    }

    /// Whether anything has moved since this was asked last.
    pub fn take_moved(&self) -> bool {
        // Read first: most often nothing has, and reading is cheaper.
        self.moved.load(Relaxed) && self.moved.swap(false, Relaxed)
    }

    /// Bytes have come in.
    pub fn hear(&self) {
        self.heard.store(true, Relaxed);
    }

    /// Counts bytes that have come in by HTTP/2. Whether they may: many frames ask for nothing (pings, settings,
    /// windows, resets), and whoever sends no more than these is not listened to for ever.
    pub fn count_unasked(&self, bytes: usize) -> bool {
        self.unasked.fetch_add(bytes, Relaxed) + bytes <= MAX_UNASKED_BYTES
    }

    /// Bytes have gone out. HTTP/2 answers pings as well, which moves nothing.
    pub fn write(&self) {
        if !self.is_http_2() {
            self.move_on();
        }
    }

    /// A part of a request's body has come.
    pub fn receive(&self) {
        self.unasked.store(0, Relaxed);
    }

    /// A request or an answer has gone on.
    pub fn move_on(&self) {
        self.moved.store(true, Relaxed);
        self.unasked.store(0, Relaxed);
    }

    /// The rest of a body is no longer wanted.
    pub fn discard(&self) {
        self.discarding.store(true, Relaxed);
    }

    /// The rest of a body has come all the same, so the connection can be kept.
    pub fn discarded(&self) {
        self.heard.store(false, Relaxed);
        self.discarding.store(false, Relaxed);
    }

    /// A body has taken too long. By HTTP/2 that ends its stream only.
    pub fn give_up(&self) {
        if !self.is_http_2() {
            self.discarding.store(true, Relaxed);
            self.given_up.store(true, Relaxed);
        }
    }

    /// Whether the connection is to end after the answer.
    pub fn is_given_up(&self) -> bool {
        self.given_up.load(Relaxed)
    }

    /// A handler begins with a request.
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

/// A request that a handler has; dropped, it is answered, or its client is gone.
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
