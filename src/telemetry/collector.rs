//! The way to a collector of traces: our own HTTP client, on our own runtime. The exporter works on a thread
//! that has none.

use std::{
    fmt, io,
    pin::Pin,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{ConfigBuilderExt, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use tokio::{runtime::Handle, time::timeout};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// The largest answer that is read, in bytes.
const MAX_ANSWER: usize = 1024 * 1024;

type Pool = Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

/// A client for one collector.
pub(super) struct Collector {
    pool: Pool,
    runtime: Handle,
    /// Whether it was said that the collector takes nothing.
    complained: AtomicBool,
}

impl fmt::Debug for Collector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Collector")
    }
}

impl Collector {
    /// Belongs into a runtime. With `tls` the system's certificates are needed.
    pub fn new(tls: bool) -> io::Result<Self> {
        let config = ClientConfig::builder_with_provider(ring::default_provider().into())
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?;
        let config = if tls {
            config.with_native_roots()?
        } else {
            config.with_root_certificates(RootCertStore::empty())
        };
        let tls = config.with_no_client_auth();
        let https = HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1().build();
        let pool = Client::builder(TokioExecutor::new()).build(https);
        Ok(Self { pool, runtime: Handle::current(), complained: AtomicBool::new(false) })
    }

    /// Says once that nothing arrives, and once that it does again.
    fn tell(&self, trouble: Option<String>) {
        let before = self.complained.swap(trouble.is_some(), Ordering::Relaxed);
        match trouble {
            Some(trouble) if !before => tracing::warn!(trouble, "the collector takes no traces"),
            None if before => tracing::info!("the collector takes traces again"),
            _ => {}
        }
    }
}

async fn exchange(pool: Pool, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
    let (head, body) = pool.request(request.map(Full::new)).await?.into_parts();
    let body = Limited::new(body, MAX_ANSWER).collect().await?;
    Ok(Response::from_parts(head, body.to_bytes()))
}

/// As the trait's macro spells it.
type Answering<'a> = Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'a>>;

impl HttpClient for Collector {
    fn send_bytes<'s, 'a>(&'s self, request: Request<Bytes>) -> Answering<'a>
    where
        's: 'a,
        Self: 'a,
    {
        let pool = self.pool.clone();
        let exchanged = self.runtime.spawn(async { timeout(PATIENCE, exchange(pool, request)).await });
        Box::pin(async move {
            let answer = match exchanged.await {
                Ok(Ok(answer)) => answer,
                Ok(Err(late)) => Err(late.into()),
                Err(ended) => Err(ended.into()),
            };
            self.tell(match &answer {
                Ok(answer) if answer.status().is_success() => None,
                Ok(answer) => Some(answer.status().to_string()),
                Err(error) => Some(error.to_string()),
            });
            answer
        })
    }
}
