//! HTTP/2 frame by frame, as a client has it that does not keep to its rules.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    time::timeout,
};

use super::DEADLINE;

pub const DATA: u8 = 0;
pub const HEADERS: u8 = 1;
pub const RST_STREAM: u8 = 3;
pub const SETTINGS: u8 = 4;
pub const PING: u8 = 6;
pub const GOAWAY: u8 = 7;
pub const WINDOW_UPDATE: u8 = 8;
pub const CONTINUATION: u8 = 9;

/// Flags; on settings and pings the first one says that it is an acknowledgement.
pub const END_STREAM: u8 = 1;
pub const ACK: u8 = 1;
pub const END_HEADERS: u8 = 4;
/// A head after which nothing comes.
pub const WHOLE: u8 = END_STREAM | END_HEADERS;
/// How a header block begins whose `:status` is 200.
pub const STATUS_200: u8 = 0x88;

/// One frame.
#[derive(Debug)]
pub struct Frame {
    pub kind: u8,
    pub flags: u8,
    pub stream: u32,
    pub payload: Vec<u8>,
}

/// A frame as it goes over the wire.
pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// The head of a GET, of which nothing more comes unless `flags` say otherwise.
pub fn request(stream: u32, flags: u8, path: &str) -> Vec<u8> {
    head(0x82, stream, flags, path)
}

/// The head of a POST.
pub fn post(stream: u32, flags: u8, path: &str) -> Vec<u8> {
    head(0x83, stream, flags, path)
}

/// `method` is its place in the static table of HPACK (RFC 7541, appendix A).
fn head(method: u8, stream: u32, flags: u8, path: &str) -> Vec<u8> {
    // :method, :scheme http, :authority x, and :path with its length; none of it is to be remembered.
    let length = u8::try_from(path.len()).unwrap();
    assert!(length < 127, "a longer path needs more than a byte for its length");
    let head = [&[method, 0x86, 0x01, 1, b'x', 0x04, length], path.as_bytes()].concat();
    frame(HEADERS, flags, stream, &head)
}

/// A connection to a service.
pub struct Frames {
    reader: OwnedReadHalf,
    pub writer: OwnedWriteHalf,
    came: Vec<u8>,
}

impl Frames {
    /// Connects to the address in a URL; each stream's window for answers is `window`.
    pub async fn to(url: &str, window: u32) -> Self {
        let address = url.strip_prefix("http://").unwrap();
        let stream = timeout(DEADLINE, TcpStream::connect(address)).await.unwrap().unwrap();
        stream.set_nodelay(true).unwrap();
        let (reader, writer) = stream.into_split();
        let mut frames = Self { reader, writer, came: Vec::new() };
        let initial_window = [&4_u16.to_be_bytes()[..], &window.to_be_bytes()].concat();
        frames.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await;
        frames.send(frame(SETTINGS, 0, 0, &initial_window)).await;
        frames
    }

    /// Sends something; says whether the other side still takes it.
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        timeout(DEADLINE, self.writer.write_all(bytes.as_ref())).await.unwrap().is_ok()
    }

    /// The next frame that comes within `patience`; pings and settings are acknowledged, and not told. None where
    /// none comes, or the connection has ended.
    pub async fn next(&mut self, patience: Duration) -> Option<Frame> {
        timeout(patience, self.next_of_all()).await.ok()?
    }

    async fn next_of_all(&mut self) -> Option<Frame> {
        loop {
            let frame = self.read().await?;
            if ![PING, SETTINGS].contains(&frame.kind) {
                return Some(frame);
            }
            if frame.flags & ACK == 0 {
                let payload = if frame.kind == PING { &frame.payload[..] } else { &[] };
                self.send(self::frame(frame.kind, ACK, 0, payload)).await;
            }
        }
    }

    /// Safe to be dropped: what has come of a frame is kept.
    async fn read(&mut self) -> Option<Frame> {
        loop {
            if self.came.len() >= 9 {
                let length = u32::from_be_bytes([0, self.came[0], self.came[1], self.came[2]]) as usize;
                if self.came.len() >= 9 + length {
                    let rest = self.came.split_off(9 + length);
                    let came = std::mem::replace(&mut self.came, rest);
                    let stream = u32::from_be_bytes(came[5..9].try_into().unwrap());
                    return Some(Frame {
                        kind: came[3],
                        flags: came[4],
                        stream,
                        payload: came[9..].to_vec(),
                    });
                }
            }
            // A reset is an end as well.
            if self.reader.read_buf(&mut self.came).await.unwrap_or(0) == 0 {
                return None;
            }
        }
    }

    /// The connection's halves, for who reads beside writing.
    pub fn split(self) -> (OwnedReadHalf, OwnedWriteHalf) {
        (self.reader, self.writer)
    }
}
