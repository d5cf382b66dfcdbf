//! The HTTP client of the trace exporter. The exporter calls it from a thread without a runtime, so requests are
//! spawned on the service's runtime. May import `client`.

use std::{
    fmt, io,
    pin::Pin,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use http_body_util::Full;
use opentelemetry_http::{Bytes, HttpError, Request, Response};
use tokio::runtime::Handle;

use crate::client::{ClientLimits, HttpClient};

/// The limits of one export.
const LIMITS: ClientLimits =
    ClientLimits { timeout: Duration::from_secs(5), answer_bytes: 1024 * 1024, idle_connections: 1 };

/// A client for one collector.
pub(super) struct Collector {
    client: HttpClient<Full<Bytes>>,
    runtime: Handle,
    /// Whether the last export failed, and that was logged.
    complained: AtomicBool,
}

impl fmt::Debug for Collector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Collector")
    }
}

impl Collector {
    /// Creates a client; must be called within a runtime. With `tls`, reads the system's certificates.
    pub fn new(tls: bool) -> io::Result<Self> {
        let client = HttpClient::new(LIMITS, tls)?;
        Ok(Self { client, runtime: Handle::current(), complained: AtomicBool::new(false) })
    }

    /// Logs the first failure, and the first success after it.
    fn tell(&self, trouble: Option<String>) {
        let before = self.complained.swap(trouble.is_some(), Ordering::Relaxed);
        match trouble {
            Some(trouble) if !before => tracing::warn!(trouble, "the collector takes no traces"),
            None if before => tracing::info!("the collector takes traces again"),
            _ => {}
        }
    }
}

/// The return type that the trait's macro expands to.
type Answering<'a> = Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'a>>;

impl opentelemetry_http::HttpClient for Collector {
    fn send_bytes<'s, 'a>(&'s self, request: Request<Bytes>) -> Answering<'a>
    where
        's: 'a,
        Self: 'a,
    {
        let client = self.client.clone();
        let sent = self.runtime.spawn(async move { client.send(request.map(Full::new)).await });
        Box::pin(async move {
            let answer: Result<Response<Bytes>, HttpError> = match sent.await {
                Ok(answer) => answer.map_err(Into::into),
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
