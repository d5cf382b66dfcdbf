//! The log: one line per event on standard error, for people or for machines. Imports nothing of ours.

use std::{io::IsTerminal, panic};

use opentelemetry_sdk::trace::SdkTracer;
use serde::{Deserialize, Serialize};
use tracing::Subscriber;
use tracing_subscriber::{
    EnvFilter, fmt,
    layer::SubscriberExt,
    registry::LookupSpan,
    util::{SubscriberInitExt, TryInitError},
};

use super::{Traces, TracingConfig};

/// `[log]`: what is logged, and how.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LogConfig {
    /// For people or for machines.
    pub format: LogFormat,
    /// A level, or directives of tracing's `EnvFilter`.
    pub filter: String,
}

/// How a log line looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// Text, coloured on a terminal.
    Pretty,
    /// One JSON object a line.
    Json,
}

impl LogConfig {
    /// The filter, silent about the phone number library, which logs the numbers that it reads.
    ///
    /// # Errors
    /// [`TelemetryError`] where it is not understood.
    pub fn filter(&self) -> Result<EnvFilter, TelemetryError> {
        Ok(EnvFilter::try_new(&self.filter)?.add_directive("rlibphonenumber=off".parse()?))
    }
}

/// Why logging could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The filter is no filter.
    #[error("log.filter: {0}")]
    Filter(#[from] tracing_subscriber::filter::ParseError),
    /// The share of requests that are traced.
    #[error("tracing.sampled_share must be from 0 to 1")]
    SampledShare,
    /// Where traces go.
    #[error(
        "tracing.otlp_endpoint must be a URL that begins with http:// or https://, without a password, `?` and `#`"
    )]
    Endpoint,
    /// What a collector's certificate is checked with.
    #[error("tracing.otlp_endpoint: the system's certificates cannot be read: {0}")]
    Certificates(std::io::Error),
    /// What the exporter says.
    #[error("tracing.otlp_endpoint: {0}")]
    Exporter(String),
    /// Somebody else logs already.
    #[error("logging is set up already")]
    SetUpTwice,
}

/// Sets up logging for the whole process, and traces where there is a collector for them; the caller
/// finishes those.
///
/// # Errors
/// [`TelemetryError`] where the filter is not understood, or the collector cannot be used.
pub fn init(config: &LogConfig, tracing: &TracingConfig) -> Result<Traces, TelemetryError> {
    let filter = config.filter()?;
    let traces = tracing.start()?;
    let lines = fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let set_up = match config.format {
        LogFormat::Pretty => {
            let lines = lines.with_ansi(std::io::stderr().is_terminal()).with_target(false);
            subscribe(lines.finish(), traces.tracer())
        }
        LogFormat::Json => {
            subscribe(lines.json().flatten_event(true).with_span_list(false).finish(), traces.tracer())
        }
    };
    set_up.map_err(|_| TelemetryError::SetUpTwice)?;
    // A panic's message may hold what a caller sent; its place is what we need.
    panic::set_hook(Box::new(|info| {
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "panic");
    }));
    Ok(traces)
}

/// Without traces nothing stands between a span and its lines.
fn subscribe(
    lines: impl Subscriber + for<'s> LookupSpan<'s> + Send + Sync,
    tracer: Option<SdkTracer>,
) -> Result<(), TryInitError> {
    let Some(tracer) = tracer else { return lines.try_init() };
    let spans = tracing_opentelemetry::layer()
        .with_tracer(tracer)
        .with_location(false)
        .with_threads(false)
        .with_tracked_inactivity(false);
    lines.with(spans).try_init()
}
