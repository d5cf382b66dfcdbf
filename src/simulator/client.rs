//! The HTTP client: requests with a deadline, and requests that the network cuts off.
//!
//! May import nothing else of this crate.

use std::{error::Error, io, time::Duration};

use axum::body::{Body, Bytes};
use futures_util::{StreamExt, stream};
use http_body_util::{BodyExt, Limited};
use hyper::{Request, StatusCode, header};
use hyper_rustls::{ConfigBuilderExt, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use tokio::time::{sleep, timeout};

/// The strictest of Exotel's pages; others say 10 and 15 seconds.
const ANSWER_IN_TIME: Duration = Duration::from_secs(5);
/// The largest answer that is read, in bytes.
const MAX_ANSWER: usize = 1024 * 1024;
/// How long the first half of a body may take to leave the machine before it is cut off.
const HALF_SENT: Duration = Duration::from_millis(10);

/// An answer, read to its end.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub status: StatusCode,
    pub body: Bytes,
}

/// Why there was none.
#[derive(Clone, Debug, thiserror::Error)]
pub(super) enum NoAnswer {
    /// The outage that is being played.
    #[error("cut off by the outage")]
    CutOff,
    #[error("no answer within {} s", ANSWER_IN_TIME.as_secs())]
    TimedOut,
    #[error("no connection: {0}")]
    Unreachable(String),
    #[error("the connection broke off: {0}")]
    BrokenOff(String),
}

/// Where an outage cuts a request.
#[derive(Clone, Copy, Debug)]
pub(super) enum Cut {
    /// In the middle of its body.
    Midway,
    /// So long after its beginning, or when the answer comes: nobody reads it.
    BeforeTheAnswer(Duration),
}

/// A pool of connections.
pub(super) struct HttpClient(Client<HttpsConnector<HttpConnector>, Body>);

impl HttpClient {
    /// Keeps at most `connections` open while they are idle. With `tls` the system's certificates are
    /// needed.
    pub fn new(connections: usize, tls: bool) -> io::Result<Self> {
        let config = ClientConfig::builder_with_provider(ring::default_provider().into())
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?;
        let config = if tls {
            config.with_native_roots()?
        } else {
            config.with_root_certificates(RootCertStore::empty())
        };
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        let https = HttpsConnectorBuilder::new().with_tls_config(config.with_no_client_auth());
        let connector = https.https_or_http().enable_http1().wrap_connector(tcp);
        let pool = Client::builder(TokioExecutor::new()).pool_max_idle_per_host(connections).build(connector);
        Ok(Self(pool))
    }

    /// Sends a request and reads the answer.
    pub async fn send(&self, request: Request<Body>) -> Result<Answer, NoAnswer> {
        timeout(ANSWER_IN_TIME, self.exchange(request)).await.unwrap_or(Err(NoAnswer::TimedOut))
    }

    /// Any answer will do: it shows that somebody is there.
    pub async fn probe(&self, origin: &str) -> Result<Answer, NoAnswer> {
        let request = Request::get(format!("{origin}/livez")).body(Body::empty());
        self.send(request.expect("an origin is the beginning of a URL")).await
    }

    /// Sends a request that is cut off; nothing is ever heard of it.
    pub async fn send_cut_off(&self, request: Request<Body>, cut: Cut) -> NoAnswer {
        // Whether it came to an answer does not matter: the sender will not see it.
        let _ = match cut {
            Cut::Midway => self.send(cut_in_half(request).await).await,
            Cut::BeforeTheAnswer(after) => {
                timeout(after, self.send(request)).await.unwrap_or(Err(NoAnswer::CutOff))
            }
        };
        NoAnswer::CutOff
    }

    async fn exchange(&self, request: Request<Body>) -> Result<Answer, NoAnswer> {
        let response = self.0.request(request).await.map_err(|error| {
            let cause = root_cause(&error);
            if error.is_connect() { NoAnswer::Unreachable(cause) } else { NoAnswer::BrokenOff(cause) }
        })?;
        let status = response.status();
        let body = Limited::new(response.into_body(), MAX_ANSWER).collect().await;
        let body = body.map_err(|error| NoAnswer::BrokenOff(root_cause(&*error)))?.to_bytes();
        Ok(Answer { status, body })
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

/// The innermost error: the outer ones only say that something failed.
fn root_cause(error: &(dyn Error + 'static)) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}
