//! The body of a request, with a timeout and a minimum rate.

use std::{
    future::Future,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::{
    runtime::Handle,
    time::{Instant, Sleep, sleep, timeout},
};

use super::{activity::Activity, timeouts::LINGER};

/// The most bytes of a body that are read and discarded after the answer.
const DISCARDED: usize = 1024 * 1024;
/// How often the rate of a body is checked after `body_timeout`.
const LOOK: Duration = Duration::from_secs(1);

/// A body that fails with [`io::ErrorKind::TimedOut`] when it is too slow. If a handler drops it unread, the rest is
/// read and discarded, up to 1 MiB and for one second, so that the client can read its answer.
pub(super) struct RequestBody {
    /// None once it was moved to the task that discards it.
    incoming: Option<Incoming>,
    activity: Arc<Activity>,
    received: u64,
    /// Set at the first wait; most bodies arrive together with their heads and need no timer.
    slow: Option<Slow>,
    /// Whether the client sends the rest in any case, so that it has to be discarded.
    lingers: bool,
}

struct Slow {
    began: Instant,
    timer: Pin<Box<Sleep>>,
}

impl RequestBody {
    pub fn new(incoming: Incoming, lingers: bool, activity: Arc<Activity>) -> Self {
        Self { incoming: Some(incoming), activity, received: 0, slow: None, lingers }
    }

    /// Ready when the body has exceeded its timeout and is below the minimum rate.
    fn poll_timeout(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let (limits, received) = (&self.activity.limits, self.received);
        let slow = self.slow.get_or_insert_with(|| Slow {
            began: Instant::now(),
            timer: Box::pin(sleep(limits.body_timeout)),
        });
        while slow.timer.as_mut().poll(cx).is_ready() {
            let now = Instant::now();
            if !limits.body_may_go_on(received, now - slow.began) {
                return Poll::Ready(());
            }
            slow.timer.as_mut().reset(now + LOOK);
        }
        Poll::Pending
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let Some(incoming) = &mut self.incoming else { return Poll::Ready(None) };
        match Pin::new(incoming).poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => {
                let length = frame.data_ref().map_or(0, |data| data.len() as u64);
                if length > 0 {
                    self.activity.receive();
                }
                self.received += length;
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(end) => {
                self.lingers = false;
                Poll::Ready(end.map(|broken| broken.map_err(io::Error::other)))
            }
            Poll::Pending if self.poll_timeout(cx).is_ready() => {
                self.lingers = false;
                self.activity.give_up();
                Poll::Ready(Some(Err(io::ErrorKind::TimedOut.into())))
            }
            Poll::Pending => Poll::Pending,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.as_ref().map(Body::size_hint).unwrap_or_default()
    }
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        let Some(mut incoming) = self.incoming.take().filter(|_| self.lingers) else { return };
        // Often the whole body has arrived with the head, and no task is needed.
        let mut cx = Context::from_waker(Waker::noop());
        while !incoming.is_end_stream() {
            match Pin::new(&mut incoming).poll_frame(&mut cx) {
                Poll::Ready(Some(Ok(_))) => {}
                Poll::Ready(_) => return,
                Poll::Pending => {
                    if let Ok(runtime) = Handle::try_current() {
                        self.activity.discard();
                        runtime.spawn(discard(incoming, Arc::clone(&self.activity)));
                    }
                    return;
                }
            }
        }
    }
}

/// Reads and discards a body. Beyond [`DISCARDED`] or [`LINGER`] it stops, and the timeouts close the connection.
async fn discard(mut incoming: Incoming, activity: Arc<Activity>) {
    let mut left = DISCARDED;
    let reading = async {
        while let Some(Ok(frame)) = incoming.frame().await {
            left = left.saturating_sub(frame.data_ref().map_or(0, Bytes::len));
            if left == 0 {
                return false;
            }
        }
        true
    };
    if timeout(LINGER, reading).await == Ok(true) {
        activity.discarded();
    }
}
