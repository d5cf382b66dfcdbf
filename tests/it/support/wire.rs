//! A connection as a client has it that does not keep to HTTP.

use std::time::{Duration, Instant};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    time::timeout,
};

use super::DEADLINE;

/// A connection to a service.
pub struct Wire {
    stream: TcpStream,
    since: Instant,
}

impl Wire {
    /// Connects to the address in a URL.
    pub async fn to(url: &str) -> Self {
        let address = url.strip_prefix("http://").unwrap();
        let stream = timeout(DEADLINE, TcpStream::connect(address)).await.unwrap().unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, since: Instant::now() }
    }

    /// The same, of which the system keeps few bytes that are not read.
    pub async fn of_few_bytes(url: &str) -> Self {
        let address = url.strip_prefix("http://").unwrap().parse().unwrap();
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        let stream = timeout(DEADLINE, socket.connect(address)).await.unwrap().unwrap();
        Self { stream, since: Instant::now() }
    }

    /// Sends something; says whether the other side still takes it.
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        timeout(DEADLINE, self.stream.write_all(bytes.as_ref())).await.unwrap().is_ok()
    }

    /// Sends nothing more.
    pub async fn end(&mut self) {
        self.stream.shutdown().await.unwrap();
    }

    /// One answer: its head and a body of known length.
    pub async fn answer(&mut self) -> String {
        let mut answer = Vec::new();
        let reading = async {
            loop {
                let text = String::from_utf8_lossy(&answer).into_owned();
                if let Some((head, body)) = text.split_once("\r\n\r\n") {
                    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
                    if body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
                        return text;
                    }
                }
                let read = self.stream.read_buf(&mut answer).await.unwrap();
                assert!(read > 0, "closed after {text:?}");
            }
        };
        timeout(DEADLINE, reading).await.expect("no answer comes")
    }

    /// Whether an answer begins within `patience`.
    pub async fn is_answered_within(&self, patience: Duration) -> bool {
        timeout(patience, self.stream.peek(&mut [0])).await.is_ok_and(|read| read.unwrap() > 0)
    }

    /// Everything that comes until the connection is closed; a reset is an end as well.
    pub async fn rest(&mut self) -> String {
        let mut rest = Vec::new();
        let closed = timeout(DEADLINE * 3, self.stream.read_to_end(&mut rest)).await;
        assert!(closed.is_ok(), "it is not closed; it says {:?}", String::from_utf8_lossy(&rest));
        String::from_utf8_lossy(&rest).into_owned()
    }

    /// Sends a piece again and again until the connection is closed, or `longest` is over; everything that
    /// came, and whether it is closed.
    pub async fn trickle(&mut self, (piece, every): (&str, Duration), longest: Duration) -> (String, bool) {
        let (mut reader, mut writer) = self.stream.split();
        let mut came = Vec::new();
        let reading = async {
            // A reset is an end as well.
            let _ = reader.read_to_end(&mut came).await;
        };
        let writing = async {
            loop {
                // What the other side has closed is seen by the reader.
                let _ = writer.write_all(piece.as_bytes()).await;
                tokio::time::sleep(every).await;
            }
        };
        let closed = tokio::select! {
            () = reading => true,
            () = writing => unreachable!("it goes on"),
            () = tokio::time::sleep(longest) => false,
        };
        (String::from_utf8_lossy(&came).into_owned(), closed)
    }

    /// How long it has been connected.
    pub fn age(&self) -> Duration {
        self.since.elapsed()
    }
}

/// The statuses of answers that follow each other.
pub fn statuses(answers: &str) -> Vec<&str> {
    answers.split("HTTP/1.1 ").skip(1).map(|answer| &answer[..3]).collect()
}

/// A callback as it goes over the wire.
pub fn callback(path: &str, sid: &str) -> String {
    let body = format!("SmsSid={sid}&Status=sent&DetailedStatusCode=20005");
    format!("POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}
