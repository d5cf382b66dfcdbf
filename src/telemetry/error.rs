//! Why log, metrics or traces cannot be set up.

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
        "tracing.otlp_endpoint must be a URL that begins with http:// or https://, without user, password, `?` and \
         `#`; credentials go into OTEL_EXPORTER_OTLP_HEADERS"
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
