//! The simulator's HTTP client: sends requests with Exotel's timeout, or aborts them as the simulated outage does.
//!
//! May import `client`.

use std::{io, time::Duration};

use axum::body::{Body, Bytes};
use futures_util::{StreamExt, stream};
use http_body_util::BodyExt;
use hyper::{Request, StatusCode, header};
use tokio::time::{sleep, timeout};

use crate::client::{ClientError, ClientLimits, HttpClient};

/// Exotel's timeout for an answer: the shortest that its documentation gives; other pages say 10 and 15 seconds.
const ANSWER_IN_TIME: Duration = Duration::from_secs(5);
/// The largest answer that is read, in bytes.
const MAX_ANSWER: usize = 1024 * 1024;
/// The pause between the first half of a body and the abort, so that the half is sent.
const HALF_SENT: Duration = Duration::from_millis(10);

/// An answer of the receiver, read to its end.
#[derive(Clone, Debug)]
pub(super) struct Reply {
    pub status: StatusCode,
    pub body: Bytes,
}

/// Why there was no answer.
#[derive(Clone, Debug, thiserror::Error)]
pub(super) enum NoReply {
    /// The simulated outage aborted the request.
    #[error("cut off by the outage")]
    CutOff,
    #[error(transparent)]
    Failed(#[from] ClientError),
}

/// Where an outage aborts a request.
#[derive(Clone, Copy, Debug)]
pub(super) enum Cut {
    /// After half of its body.
    Midway,
    /// After this time, or when the answer arrives; the answer is not read.
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

    /// Checks that a server answers at all; any status will do.
    pub async fn probe(&self, origin: &str) -> Result<Reply, NoReply> {
        let request = Request::get(format!("{origin}/livez")).body(Body::empty());
        self.send(request.expect("an origin is the beginning of a URL")).await
    }

    /// Sends a request and aborts it, so that it never has an answer.
    pub async fn send_cut_off(&self, request: Request<Body>, cut: Cut) -> NoReply {
        // An answer that did arrive is dropped, as the outage would have lost it.
        let _ = match cut {
            Cut::Midway => self.send(cut_in_half(request).await).await,
            Cut::BeforeTheAnswer(after) => {
                timeout(after, self.send(request)).await.unwrap_or(Err(NoReply::CutOff))
            }
        };
        NoReply::CutOff
    }
}

/// The same request with the whole content length, whose body fails after its first half.
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
