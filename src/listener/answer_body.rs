//! The body of an answer, which reports its progress to the connection's timeouts.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use axum::body::Body;
use bytes::Bytes;
use hyper::body::{Frame, SizeHint};

use super::{activity::Activity, stall::SmallFrames};

/// The body of an answer. With HTTP/2 it is split into small frames, so that its stream can be reset where the client
/// does not read it.
pub(super) struct AnswerBody {
    body: Body,
    activity: Arc<Activity>,
    /// None by HTTP/1.
    frames: Option<SmallFrames>,
}

impl AnswerBody {
    pub fn new(body: Body, activity: Arc<Activity>) -> Self {
        let frames = activity.is_http_2().then(SmallFrames::default);
        Self { body, activity, frames }
    }

    /// Bytes of the current frame that are not yet handed to hyper.
    fn left(&self) -> usize {
        self.frames.as_ref().map_or(0, SmallFrames::len)
    }
}

impl hyper::body::Body for AnswerBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Polled {
        let this = self.get_mut();
        if let Some(rest) = this.frames.as_mut().and_then(SmallFrames::next) {
            this.activity.move_on();
            return Poll::Ready(Some(Ok(Frame::data(rest))));
        }
        let frame = Pin::new(&mut this.body).poll_frame(cx);
        if frame.is_ready() {
            this.activity.move_on();
        }
        match &mut this.frames {
            None => frame,
            Some(frames) => cut(frames, frame),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.left() == 0 && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (left, body) = (self.left() as u64, self.body.size_hint());
        let mut hint = SizeHint::new();
        hint.set_lower(body.lower() + left);
        if let Some(upper) = body.upper() {
            hint.set_upper(upper + left);
        }
        hint
    }
}

type Polled = Poll<Option<Result<Frame<Bytes>, axum::Error>>>;

/// Splits a frame of the body and returns its first part; anything else is returned as it is.
fn cut(frames: &mut SmallFrames, frame: Polled) -> Polled {
    match frame {
        Poll::Ready(Some(Ok(frame))) => Poll::Ready(Some(Ok(match frame.into_data() {
            Ok(data) => Frame::data(frames.begin(data)),
            Err(trailers) => trailers,
        }))),
        nothing => {
            SmallFrames::nothing();
            nothing
        }
    }
}
