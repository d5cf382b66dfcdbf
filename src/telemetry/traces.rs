//! Traces: the spans of requests, exported to a collector where one is configured. Spans hold the same fields as the
//! log, so no personal data either.

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

/// `[tracing]`: where traces are exported to, and how many.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TracingConfig {
    /// The base URL of the collector; empty: no traces.
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

    /// The URL that spans are sent to; none without a collector.
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

    /// Starts the exporter where a collector is configured. Must be called within a runtime.
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

/// The exporter of traces; empty without a collector.
#[derive(Debug, Default)]
pub struct Traces(Option<SdkTracerProvider>);

impl Traces {
    /// The timeout of the last export.
    const LAST_EXPORT_TIMEOUT: Duration = Duration::from_secs(2);

    pub(super) fn tracer(&self) -> Option<SdkTracer> {
        self.0.as_ref().map(|provider| provider.tracer("dlr_receiver"))
    }

    /// Exports the remaining spans. Those that the collector does not accept within the timeout are lost.
    pub async fn finish(self) {
        let Some(provider) = self.0 else { return };
        let (done, ended) = oneshot::channel();
        // The call blocks. It gets a thread of its own, since the runtime would wait for a blocking task beyond the
        // shutdown's deadline.
        std::thread::spawn(move || {
            let _ = done.send(provider.shutdown_with_timeout(Self::LAST_EXPORT_TIMEOUT));
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
