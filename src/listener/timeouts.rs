//! How long a connection is waited for.

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

/// How long a client may take over the rest of a request that is answered already. Until then it can read
/// the answer: closing a socket that holds unread bytes resets the connection, and the answer with it.
pub(super) const LINGER: Duration = Duration::from_secs(1);

/// What is done with a connection that has taken too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expiry {
    /// It is told that it ends, and ends as soon as nothing is under way.
    Close,
    /// It ends.
    Cut,
}

pin_project! {
    /// The timeouts with one connection.
    ///
    /// It has one timer, which is moved forward where a deadline comes nearer, and else only when it has
    /// fired: requests that follow each other do not touch it.
    pub(super) struct ConnectionTimeouts<'s> {
        activity: Arc<Activity>,
        // The connections that are still to be had, of all.
        slots: &'s Semaphore,
        #[pin]
        timer: Sleep,
        // When something moved last, and since when a head is incomplete.
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

    /// Ready when the timeouts ends. To be polled after the connection, in the same task.
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

    /// When the timeouts ends as things stand; never while a handler is at work.
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
                // Whoever only rests is not to keep others out.
                let is_crowded = this.slots.available_permits() < limits.max_connections as usize / 4;
                let timeout = if is_crowded { limits.header_timeout } else { limits.idle_timeout };
                (*this.moved, timeout.min(limits.idle_timeout))
            }
        };
        Some(since + timeout)
    }
}
