//! HTTP/2 answers whose clients stop reading.
//!
//! With HTTP/1 the connection's [`ConnectionTimeouts`](super::timeouts::ConnectionTimeouts) close it. With HTTP/2
//! other requests may keep the connection alive, so each stream has a timeout of its own: if its client reads nothing
//! for `idle_timeout`, the stream is reset and its buffers are freed.
//!
//! hyper polls a body for its next frame only once the last one is sent, so a timer inside the body would never be
//! polled. The timer therefore wraps the whole task of the stream, in the [`Executor`] that hyper spawns it with.
//! [`SmallFrames`] reports what the body did through a thread-local: the body is polled within the task's poll, on
//! the same thread.

use std::{
    cell::Cell,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use metrics::Counter;
use pin_project_lite::pin_project;
use tokio::time::{Instant, Sleep, sleep_until};

/// The default maximum size of an HTTP/2 frame, in bytes.
const FRAME: usize = 16 * 1024;
/// A frame up to this size is not split: so few bytes may stay buffered as long as the connection lives. All answers to
/// callbacks are shorter.
const SMALL: usize = 4 * 1024;

thread_local! {
    /// What the body did during the current poll of its stream.
    static BODY_STATE: Cell<BodyState> = const { Cell::new(BodyState::Nothing) };
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum BodyState {
    /// It was not polled.
    #[default]
    Nothing,
    /// It has handed a frame to hyper, and more follows.
    Given,
    /// It has no data now, or has ended.
    Empty,
}

/// Splits the frames of a body, so that at most one small frame is buffered for a client that does not read, and
/// starts the stream's timer.
#[derive(Debug, Default)]
pub(super) struct SmallFrames {
    rest: Bytes,
}

impl SmallFrames {
    /// The next part of the current frame; none once it is used up.
    pub fn next(&mut self) -> Option<Bytes> {
        if self.rest.is_empty() {
            return None;
        }
        // The last byte is sent alone. hyper asks for it only once everything before it is sent, so the stream's
        // task, and with it the timer, lives until then.
        let length = match self.rest.len() {
            1 => 1,
            rest => FRAME.min(rest - 1),
        };
        BODY_STATE.set(BodyState::Given);
        Some(self.rest.split_to(length))
    }

    /// Starts with a new frame of the body and returns its first part.
    pub fn begin(&mut self, frame: Bytes) -> Bytes {
        BODY_STATE.set(BodyState::Given);
        if frame.len() <= SMALL {
            return frame;
        }
        self.rest = frame;
        self.next().unwrap_or_default()
    }

    /// Reports that the body has no data now, or has ended.
    pub fn nothing() {
        BODY_STATE.set(BodyState::Empty);
    }

    /// Bytes of the current frame that are left.
    pub fn len(&self) -> usize {
        self.rest.len()
    }
}

/// Spawns the tasks of streams, each with a timer.
#[derive(Clone)]
pub(super) struct Executor {
    pub timeout: Duration,
    /// Counts the streams that were reset.
    pub stalled: Counter,
}

impl<F> hyper::rt::Executor<F> for Executor
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, stream: F) {
        tokio::spawn(Stream { inner: stream, executor: self.clone(), timer: None });
    }
}

pin_project! {
    /// The task of a stream, which ends when its client stalls. hyper resets a stream whose task is dropped.
    struct Stream<F> {
        #[pin]
        inner: F,
        executor: Executor,
        // Runs while a frame is being sent. None until the first one has to wait.
        timer: Option<Pin<Box<Sleep>>>,
    }
}

impl<F: Future<Output = ()>> Future for Stream<F> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.project();
        BODY_STATE.set(BodyState::Nothing);
        if this.inner.poll(cx).is_ready() {
            return Poll::Ready(());
        }
        match BODY_STATE.take() {
            BodyState::Nothing => {}
            BodyState::Given => {
                let deadline = Instant::now() + this.executor.timeout;
                match this.timer {
                    Some(timer) => timer.as_mut().reset(deadline),
                    None => *this.timer = Some(Box::pin(sleep_until(deadline))),
                }
            }
            BodyState::Empty => *this.timer = None,
        }
        let Some(timer) = this.timer else { return Poll::Pending };
        ready!(timer.as_mut().poll(cx));
        this.executor.stalled.increment(1);
        tracing::debug!("a client stopped reading its answer; the stream is reset");
        Poll::Ready(())
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio::time::advance;

    use super::*;

    #[test]
    fn long_frames_are_cut_and_their_last_byte_goes_alone() {
        let lengths = |length: usize| {
            let (mut frames, whole) = (SmallFrames::default(), Bytes::from(vec![b'a'; length]));
            let mut lengths = vec![frames.begin(whole).len()];
            lengths.extend(std::iter::from_fn(|| frames.next()).map(|frame| frame.len()));
            lengths
        };
        assert_eq!(lengths(1), [1]);
        assert_eq!(lengths(SMALL), [SMALL]);
        assert_eq!(lengths(SMALL + 1), [SMALL, 1]);
        assert_eq!(lengths(FRAME + 1), [FRAME, 1]);
        assert_eq!(lengths(2 * FRAME + 7), [FRAME, FRAME, 6, 1]);
    }

    /// A stream that says what its body did, and never ends by itself.
    fn stream(told: &'static [BodyState]) -> Stream<impl Future<Output = ()>> {
        let mut told = told.iter();
        let inner = poll_fn(move |_| {
            if let Some(told) = told.next() {
                BODY_STATE.set(*told);
            }
            Poll::Pending
        });
        let executor = Executor { timeout: Duration::from_secs(75), stalled: Counter::noop() };
        Stream { inner, executor, timer: None }
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_ends_where_a_frame_is_not_taken_and_not_while_there_is_none() {
        let ends = async |told| {
            let mut stream = Box::pin(stream(told));
            let mut turns = Vec::new();
            for _ in 0..3 {
                let ended = poll_fn(|cx| Poll::Ready(stream.as_mut().poll(cx).is_ready())).await;
                turns.push(ended);
                if ended {
                    break;
                }
                advance(Duration::from_secs(50)).await;
            }
            turns
        };
        assert_eq!(ends(&[BodyState::Given]).await, [false, false, true]);
        assert_eq!(ends(&[BodyState::Given, BodyState::Given]).await, [false; 3]);
        assert_eq!(ends(&[BodyState::Given, BodyState::Empty]).await, [false; 3]);
        assert_eq!(ends(&[]).await, [false; 3]);
    }
}
