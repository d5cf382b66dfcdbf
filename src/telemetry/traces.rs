//! Traces: the spans of requests, given to a collector where one is configured. They say what the log says
//! of a request, and no more.

use std::time::Duration;

use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::{
    Resource,
    trace::{Sampler, SdkTracer, SdkTracerProvider},
};
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;
use url::Url;

use super::{TelemetryError, collector::Collector};
use crate::secret_url::SecretUrl;

/// `[tracing]`: where traces go.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TracingConfig {
    /// The collector's URL; empty is none.
    pub otlp_endpoint: SecretUrl,
    /// The share of requests that are traced, from 0 to 1.
    pub sampled_share: f64,
}

impl TracingConfig {
    /// Checks what the types allow.
    ///
    /// # Errors
    /// [`TelemetryError`] names the key.
    pub fn check(&self) -> Result<(), TelemetryError> {
        if !(0.0..=1.0).contains(&self.sampled_share) {
            return Err(TelemetryError::SampledShare);
        }
        self.endpoint().map(|_| ())
    }

    /// Where spans are sent to.
    fn endpoint(&self) -> Result<Option<String>, TelemetryError> {
        let base = self.otlp_endpoint.trim_end_matches('/');
        if base.is_empty() {
            return Ok(None);
        }
        let url = Url::parse(base).map_err(|_| TelemetryError::Endpoint)?;
        let plain = url.query().is_none() && url.fragment().is_none();
        let named = !url.username().is_empty() || url.password().is_some();
        if !plain || named || !["http", "https"].contains(&url.scheme()) {
            return Err(TelemetryError::Endpoint);
        }
        Ok(Some(format!("{base}/v1/traces")))
    }

    /// Begins to export, where there is a collector. Belongs into a runtime.
    pub(super) fn start(&self) -> Result<Traces, TelemetryError> {
        let Some(endpoint) = self.endpoint()? else { return Ok(Traces(None)) };
        let collector =
            Collector::new(endpoint.starts_with("https")).map_err(TelemetryError::Certificates)?;
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(collector)
            .with_endpoint(endpoint)
            .build()
            .map_err(|error| TelemetryError::Exporter(error.to_string()))?;
        let service = Resource::builder()
            .with_service_name(env!("CARGO_PKG_NAME"))
            .with_attribute(opentelemetry::KeyValue::new("service.version", env!("CARGO_PKG_VERSION")));
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_sampler(Sampler::TraceIdRatioBased(self.sampled_share))
            .with_resource(service.build());
        Ok(Traces(Some(provider.build())))
    }
}

/// Traces on their way to the collector.
#[derive(Debug, Default)]
pub struct Traces(Option<SdkTracerProvider>);

impl Traces {
    /// How long the collector may take over the last of them.
    const PATIENCE: Duration = Duration::from_secs(2);

    pub(super) fn tracer(&self) -> Option<SdkTracer> {
        self.0.as_ref().map(|provider| provider.tracer("dlr_receiver"))
    }

    /// Gives the collector what it does not have yet. What it does not take in time is lost.
    pub async fn finish(self) {
        let Some(provider) = self.0 else { return };
        let (done, ended) = oneshot::channel();
        // It blocks; and a runtime would wait for a thread of its own, even beyond the deadline.
        std::thread::spawn(move || {
            let _ = done.send(provider.shutdown_with_timeout(Self::PATIENCE));
        });
        if let Ok(Err(error)) = ended.await {
            tracing::warn!(%error, "the last traces are lost");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(otlp_endpoint: &str) -> Result<Option<String>, String> {
        let config = TracingConfig { otlp_endpoint: otlp_endpoint.into(), sampled_share: 1.0 };
        config.endpoint().map_err(|error| error.to_string())
    }

    #[test]
    fn a_collector_is_named_by_its_url_or_not_at_all() {
        assert_eq!(endpoint(""), Ok(None));
        for url in ["http://collector:4318", "http://collector:4318/"] {
            assert_eq!(endpoint(url), Ok(Some("http://collector:4318/v1/traces".to_owned())));
        }
        for bad in
            ["collector:4318", "grpc://collector", "http://c/?a=b", "http://me:secret@c/", "http://secret@c/"]
        {
            let error = endpoint(bad).unwrap_err();
            assert!(
                error.starts_with("tracing.otlp_endpoint must be") && !error.contains("secret"),
                "{error}"
            );
        }
    }
}
