//! The timeouts of a connection.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use pin_project_lite::pin_project;
use tokio::{
    sync::Semaphore,
    time::{Instant, Sleep, sleep_until},
};

use super::activity::{Activity, Phase};

/// How long the rest of a request is read and discarded after its answer. Closing a socket that holds unread bytes
/// resets the connection, and the client could lose the answer.
pub(super) const LINGER: Duration = Duration::from_secs(1);

/// What happens to a connection whose timeout has expired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expiry {
    /// It shuts down gracefully: it ends once no request is in flight.
    Close,
    /// It is closed at once.
    Cut,
}

pin_project! {
    /// The timeouts of one connection, on one timer.
    ///
    /// The timer is reset when it fires, or when the deadline comes nearer. A series of requests only moves the
    /// deadline away, so it costs no timer operation.
    pub(super) struct ConnectionTimeouts<'s> {
        activity: Arc<Activity>,
        // The listener's permits: how many more connections may be open.
        slots: &'s Semaphore,
        #[pin]
        timer: Sleep,
        // When there was progress last, since when a head is incomplete, and since when the connection is closing.
        moved: Instant,
        head: Option<Instant>,
        closing: Option<Instant>,
    }
}

impl<'s> ConnectionTimeouts<'s> {
    pub fn new(activity: Arc<Activity>, slots: &'s Semaphore) -> Self {
        let now = Instant::now();
        let timer = sleep_until(now + activity.limits.header_timeout);
        Self { activity, slots, timer, moved: now, head: None, closing: None }
    }

    /// Ready when a timeout expires. Must be polled after the connection and in the same task, so that it sees the
    /// connection's progress.
    pub fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Expiry> {
        loop {
            let deadline = self.as_mut().deadline();
            let mut this = self.as_mut().project();
            if deadline.is_some_and(|deadline| deadline < this.timer.deadline()) {
                this.timer.as_mut().reset(deadline.expect("it is some"));
            }
            ready!(this.timer.as_mut().poll(cx));
            let now = Instant::now();
            match deadline {
                Some(deadline) if deadline <= now => {
                    let idle = this.closing.is_none() && this.activity.phase() == Phase::Idle;
                    *this.closing = Some(now);
                    return Poll::Ready(if idle { Expiry::Close } else { Expiry::Cut });
                }
                Some(deadline) => this.timer.reset(deadline),
                None => this.timer.reset(now + this.activity.limits.header_timeout),
            }
        }
    }

    /// When the current phase expires; none while a handler is working.
    fn deadline(self: Pin<&mut Self>) -> Option<Instant> {
        let this = self.project();
        if this.activity.take_moved() {
            (*this.moved, *this.head) = (Instant::now(), None);
        }
        let limits = &this.activity.limits;
        let (since, timeout) = match this.activity.phase() {
            Phase::Handled => return None,
            _ if this.closing.is_some() => ((*this.closing)?, limits.header_timeout),
            Phase::Fresh => (*this.moved, limits.header_timeout),
            Phase::Head => (*this.head.get_or_insert_with(Instant::now), limits.header_timeout),
            Phase::Discarding => (*this.moved, LINGER),
            Phase::Idle => {
                *this.head = None;
                // Idle connections must not keep new clients out.
                let is_crowded = this.slots.available_permits() < limits.max_connections as usize / 4;
                let timeout = if is_crowded { limits.header_timeout } else { limits.idle_timeout };
                (*this.moved, timeout.min(limits.idle_timeout))
            }
        };
        Some(since + timeout)
    }
}
