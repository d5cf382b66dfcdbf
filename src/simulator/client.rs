//! Requests of the simulator: with Exotel's timeout, or cut off by the outage that is played.
//!
//! May import `client`.

use std::{io, time::Duration};

use axum::body::{Body, Bytes};
use futures_util::{StreamExt, stream};
use http_body_util::BodyExt;
use hyper::{Request, StatusCode, header};
use tokio::time::{sleep, timeout};

use crate::client::{ClientError, ClientLimits, HttpClient};

/// The strictest of Exotel's pages; others say 10 and 15 seconds.
const ANSWER_IN_TIME: Duration = Duration::from_secs(5);
/// The largest answer that is read, in bytes.
const MAX_ANSWER: usize = 1024 * 1024;
/// How long the first half of a body may take to leave the machine before it is cut off.
const HALF_SENT: Duration = Duration::from_millis(10);

/// An answer of the receiver, read to its end.
#[derive(Clone, Debug)]
pub(super) struct Reply {
    pub status: StatusCode,
    pub body: Bytes,
}

/// Why there was none.
#[derive(Clone, Debug, thiserror::Error)]
pub(super) enum NoReply {
    /// The outage that is being played.
    #[error("cut off by the outage")]
    CutOff,
    #[error(transparent)]
    Failed(#[from] ClientError),
}

/// Where an outage cuts a request.
#[derive(Clone, Copy, Debug)]
pub(super) enum Cut {
    /// In the middle of its body.
    Midway,
    /// So long after its beginning, or when the answer comes: nobody reads it.
    BeforeTheAnswer(Duration),
}

/// Sends requests to the receiver.
pub(super) struct ReceiverClient(HttpClient<Body>);

impl ReceiverClient {
    /// Keeps at most `connections` open while they are idle. With `tls` the system's certificates are needed.
    pub fn new(connections: usize, tls: bool) -> io::Result<Self> {
        let limits =
            ClientLimits { timeout: ANSWER_IN_TIME, answer_bytes: MAX_ANSWER, idle_connections: connections };
        HttpClient::new(limits, tls).map(Self)
    }

    /// Sends a request and reads the answer.
    pub async fn send(&self, request: Request<Body>) -> Result<Reply, NoReply> {
        let (head, body) = self.0.send(request).await?.into_parts();
        Ok(Reply { status: head.status, body })
    }

    /// Any answer will do: it shows that a server is there.
    pub async fn probe(&self, origin: &str) -> Result<Reply, NoReply> {
        let request = Request::get(format!("{origin}/livez")).body(Body::empty());
        self.send(request.expect("an origin is the beginning of a URL")).await
    }

    /// Sends a request that is cut off, so that no answer is ever seen.
    pub async fn send_cut_off(&self, request: Request<Body>, cut: Cut) -> NoReply {
        // Whether it came to an answer does not matter: the sender will not see it.
        let _ = match cut {
            Cut::Midway => self.send(cut_in_half(request).await).await,
            Cut::BeforeTheAnswer(after) => {
                timeout(after, self.send(request)).await.unwrap_or(Err(NoReply::CutOff))
            }
        };
        NoReply::CutOff
    }
}

/// The same request, announced in full, whose body breaks off at its half.
async fn cut_in_half(request: Request<Body>) -> Request<Body> {
    let (mut head, body) = request.into_parts();
    let whole = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    head.headers.insert(header::CONTENT_LENGTH, whole.len().into());
    let half = whole.slice(..whole.len() / 2);
    let cut = stream::once(async {
        sleep(HALF_SENT).await;
        Err(io::Error::from(io::ErrorKind::ConnectionReset))
    });
    Request::from_parts(head, Body::from_stream(stream::once(async { Ok(half) }).chain(cut)))
}
