//! The socket of a connection, which reports reads and writes to the connection's timeouts.

use std::{
    io::{self, ErrorKind, IoSlice},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

use super::{activity::Activity, refused_head};

/// A TCP stream that records its activity.
#[derive(Debug)]
pub(super) struct Socket {
    stream: TcpStream,
    activity: Arc<Activity>,
    is_http_2: bool,
    /// Bytes read during this poll of the connection's task (HTTP/2).
    turn: usize,
    /// What is still to be written of the problem that replaces hyper's own answer.
    told: Vec<u8>,
}

/// How many bytes of frames are read before the task yields to other connections. A frame of nine bytes costs as much
/// work as one of thousands, so hyper's own budget is too generous.
const TURN: usize = 16 * 1024;

impl Socket {
    pub fn new(stream: TcpStream, activity: Arc<Activity>, is_http_2: bool) -> Self {
        Self { stream, activity, is_http_2, turn: 0, told: Vec::new() }
    }

    fn poll_read_frames(&mut self, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.turn >= TURN {
            self.turn = 0;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let before = into.filled().len();
        let result = Pin::new(&mut self.stream).poll_read(cx, into);
        if result.is_pending() {
            self.turn = 0;
            return result;
        }
        let came = into.filled().len() - before;
        self.turn += came;
        if self.activity.count_unasked(came) {
            result
        } else {
            Poll::Ready(Err(ErrorKind::QuotaExceeded.into()))
        }
    }

    /// Finds hyper's own answer to a malformed head in `bytes`, and prepares the problem that replaces it once the
    /// bytes before it are written.
    fn take_over(&mut self, bytes: &[u8]) -> OwnRefusal {
        match refused_head::begins_at(bytes) {
            _ if self.is_http_2 => OwnRefusal::Nothing,
            None => OwnRefusal::Nothing,
            Some(0) => {
                self.told = refused_head::told(bytes);
                OwnRefusal::All
            }
            Some(at) => OwnRefusal::Behind(at),
        }
    }

    /// Writes the problem that replaces hyper's answer.
    fn poll_told(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.told.is_empty() {
            let written = ready!(Pin::new(&mut self.stream).poll_write(cx, &self.told))?;
            if written == 0 {
                return Poll::Ready(Err(ErrorKind::WriteZero.into()));
            }
            self.told.drain(..written);
        }
        Poll::Ready(Ok(()))
    }

    fn wrote(&self, result: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(Ok(_)) = result {
            self.activity.write();
        }
        result
    }
}

/// How much of the bytes to be written is hyper's own answer to a malformed head.
enum OwnRefusal {
    Nothing,
    All,
    /// All from this offset.
    Behind(usize),
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.is_http_2 {
            let result = Pin::new(&mut self.stream).poll_read(cx, into);
            if result.is_ready() {
                self.activity.hear();
            }
            return result;
        }
        self.poll_read_frames(cx, into)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let bytes = match self.take_over(bytes) {
            OwnRefusal::Nothing => bytes,
            OwnRefusal::All => return Poll::Ready(Ok(bytes.len())),
            OwnRefusal::Behind(at) => &bytes[..at],
        };
        let result = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.wrote(result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        // hyper's own answer has no body, so it is always a single slice.
        if let [bytes] = slices {
            return self.poll_write(cx, bytes);
        }
        let result = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.wrote(result)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_told(cx))?;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_told(cx))?;
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
