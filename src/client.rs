//! The one way to send a request to another host: HTTP/1.1 over plain TCP or TLS, with a timeout and a cap on the
//! answer. Redirects are not followed. A leaf: it imports nothing of this crate.

use std::{error::Error, io, time::Duration};

use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use hyper::{Request, Response, body::Body};
use hyper_rustls::{ConfigBuilderExt, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use tokio::time::timeout;

/// The error of a request's body.
type BodyError = Box<dyn Error + Send + Sync>;

/// A pool of connections. Cheap to clone; clones share the connections.
#[derive(Clone, Debug)]
pub struct HttpClient<B> {
    pool: Client<HttpsConnector<HttpConnector>, B>,
    limits: ClientLimits,
}

/// The limits of a client.
#[derive(Clone, Copy, Debug)]
pub struct ClientLimits {
    /// From the beginning of a request to the end of its answer.
    pub timeout: Duration,
    /// The largest body of an answer that is read, in bytes.
    pub answer_bytes: usize,
    /// The most connections to a host that stay open while they are idle.
    pub idle_connections: usize,
}

/// Why there is no answer to a request.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ClientError {
    /// The answer was not complete within the timeout.
    #[error("no answer within {} s", .0.as_secs_f64())]
    TimedOut(Duration),
    /// No connection could be opened.
    #[error("no connection: {0}")]
    Unreachable(String),
    /// The connection failed after it was open, or the answer is too large.
    #[error("the connection broke off: {0}")]
    BrokenOff(String),
}

impl<B> HttpClient<B>
where
    B: Body<Data: Send, Error: Into<BodyError>> + Send + Unpin + 'static,
{
    /// Creates a client. It can use https only with `tls`, which reads the system's certificates.
    ///
    /// # Errors
    /// When the certificates cannot be read.
    pub fn new(limits: ClientLimits, tls: bool) -> io::Result<Self> {
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
        let pool = Client::builder(TokioExecutor::new())
            .pool_max_idle_per_host(limits.idle_connections)
            .build(connector);
        Ok(Self { pool, limits })
    }

    /// Sends a request and reads the answer to its end.
    ///
    /// # Errors
    /// [`ClientError`] when there is no complete answer within the timeout. The server may have processed the request.
    pub async fn send(&self, request: Request<B>) -> Result<Response<Bytes>, ClientError> {
        let ClientLimits { timeout: longest, .. } = self.limits;
        timeout(longest, self.exchange(request)).await.unwrap_or(Err(ClientError::TimedOut(longest)))
    }

    async fn exchange(&self, request: Request<B>) -> Result<Response<Bytes>, ClientError> {
        let response = self.pool.request(request).await.map_err(|error| {
            let cause = root_cause(&error);
            if error.is_connect() { ClientError::Unreachable(cause) } else { ClientError::BrokenOff(cause) }
        })?;
        let (head, body) = response.into_parts();
        let body = Limited::new(body, self.limits.answer_bytes).collect().await;
        let body = body.map_err(|error| ClientError::BrokenOff(root_cause(&*error)))?;
        Ok(Response::from_parts(head, body.to_bytes()))
    }
}

/// The innermost error: the outer ones only say that something failed.
fn root_cause(error: &(dyn Error + 'static)) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use http_body_util::Full;
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    use super::*;

    const LIMITS: ClientLimits =
        ClientLimits { timeout: Duration::from_secs(5), answer_bytes: 64, idle_connections: 1 };

    /// Answers one request with these bytes, and then closes the connection.
    async fn server(answer: &'static [u8]) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let _ = stream.read(&mut [0; 1024]).await.unwrap();
            stream.write_all(answer).await.unwrap();
        });
        address
    }

    async fn get(address: SocketAddr, limits: ClientLimits) -> Result<Response<Bytes>, ClientError> {
        let client = HttpClient::new(limits, false).unwrap();
        client.send(Request::get(format!("http://{address}/")).body(Full::new(Bytes::new())).unwrap()).await
    }

    #[tokio::test]
    async fn an_answer_is_read_to_its_end_and_redirects_are_answers() {
        let moved = b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 2\r\n\r\nok";
        let answer = get(server(moved).await, LIMITS).await.unwrap();
        assert_eq!((answer.status().as_u16(), &answer.body()[..]), (302, &b"ok"[..]));
    }

    #[tokio::test]
    async fn what_is_too_large_breaks_off_or_does_not_come_is_an_error() {
        let large = b"HTTP/1.1 200 OK\r\ncontent-length: 65\r\n\r\n\
            xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";
        let error = get(server(large).await, LIMITS).await.unwrap_err();
        assert!(matches!(error, ClientError::BrokenOff(_)), "{error}");
        let cut = b"HTTP/1.1 200 OK\r\ncontent-length: 20\r\n\r\nhalf";
        let error = get(server(cut).await, LIMITS).await.unwrap_err();
        assert!(matches!(error, ClientError::BrokenOff(_)), "{error}");
        // Accepted by the system, and never answered.
        let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let hurried = ClientLimits { timeout: Duration::from_millis(500), ..LIMITS };
        let error = get(silent.local_addr().unwrap(), hurried).await.unwrap_err();
        assert_eq!(error.to_string(), "no answer within 0.5 s");
        let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let error = get(nobody, LIMITS).await.unwrap_err();
        assert!(matches!(error, ClientError::Unreachable(_)), "{error}");
    }
}
