//! Why log, metrics or traces cannot be set up.

/// Why logging could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The filter cannot be parsed.
    #[error("log.filter: {0}")]
    Filter(#[from] tracing_subscriber::filter::ParseError),
    /// A share outside 0 to 1.
    #[error("tracing.sampled_share must be from 0 to 1")]
    SampledShare,
    /// The collector's URL is not usable.
    #[error(
        "tracing.otlp_endpoint must be a URL that begins with http:// or https://, without user, password, `?` and \
         `#`; credentials go into OTEL_EXPORTER_OTLP_HEADERS"
    )]
    Endpoint,
    /// The system's certificates, which check the collector's, cannot be read.
    #[error("tracing.otlp_endpoint: the system's certificates cannot be read: {0}")]
    Certificates(std::io::Error),
    /// The exporter cannot be created.
    #[error("tracing.otlp_endpoint: {0}")]
    Exporter(String),
    /// The process has a logger already.
    #[error("logging is set up already")]
    SetUpTwice,
}
