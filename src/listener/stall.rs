//! Answers by HTTP/2 whose readers stop reading.
//!
//! By HTTP/1 such a connection ends as a whole, by its [`ConnectionTimeouts`](super::timeouts::ConnectionTimeouts). By HTTP/2 other
//! requests may keep the connection alive, so each stream has a timeout of its own: where its reader takes nothing for
//! `idle_timeout`, the stream is reset, and all that was kept for it is freed.
//!
//! hyper asks a body for its next frame only once the one before is on its way to the reader, and meanwhile does not
//! poll the body at all. So the timer stands around the whole stream, in the [`Executor`] that hyper starts its task with;
//! [`SmallFrames`] tells it that a frame is on its way. Both are polled one within the other, on one thread.

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

/// What HTTP/2 carries in one frame, unless a client allows more.
const FRAME: usize = 16 * 1024;
/// A frame of a body that is no longer than this is not cut: so little may be kept for a reader as long as its
/// connection lives. Answers to callbacks are all shorter.
const SMALL: usize = 4 * 1024;

thread_local! {
    /// What the body of the stream that is being polled has done.
    static BODY_STATE: Cell<BodyState> = const { Cell::new(BodyState::Nothing) };
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum BodyState {
    /// It was not polled.
    #[default]
    Nothing,
    /// It has given a frame away, and more comes after it.
    Given,
    /// It has nothing to give now, or nothing more.
    Empty,
}

/// Cuts the frames of a body so small that no more than one is kept for a reader who does not read, and tells the
/// stream's timer.
#[derive(Debug, Default)]
pub(super) struct SmallFrames {
    rest: Bytes,
}

impl SmallFrames {
    /// What is left of a frame, or the beginning of the next one, or that there is none.
    pub fn next(&mut self) -> Option<Bytes> {
        if self.rest.is_empty() {
            return None;
        }
        // The last byte goes alone: it is asked for once all before it is on its way, so that nothing of a long frame
        // stays behind when the stream's task has ended.
        let length = match self.rest.len() {
            1 => 1,
            rest => FRAME.min(rest - 1),
        };
        BODY_STATE.set(BodyState::Given);
        Some(self.rest.split_to(length))
    }

    /// Takes a frame of the body; gives back what of it comes first.
    pub fn begin(&mut self, frame: Bytes) -> Bytes {
        BODY_STATE.set(BodyState::Given);
        if frame.len() <= SMALL {
            return frame;
        }
        self.rest = frame;
        self.next().unwrap_or_default()
    }

    /// The body has nothing now, or nothing more.
    pub fn nothing() {
        BODY_STATE.set(BodyState::Empty);
    }

    /// How many bytes are still to come of a frame.
    pub fn len(&self) -> usize {
        self.rest.len()
    }
}

/// Starts the tasks of streams.
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
    /// A stream, which ends where its reader stalls. Dropping it resets it.
    struct Stream<F> {
        #[pin]
        inner: F,
        executor: Executor,
        // Runs while a frame is on its way. None until a first one has to wait.
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
        tracing::debug!("an answer is not read, and its stream is reset");
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
