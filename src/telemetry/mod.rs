//! What operators see of the service: its log, its metrics and its traces. Each layer registers its own metrics.
//!
//! May import `client` and `secret_url`.

mod collector;
mod dependency_cap;
mod error;
mod family;
mod histogram;
mod log;
mod metrics;
mod traces;

pub use error::TelemetryError;
pub use family::Family;
pub use histogram::Histogram;
pub use log::{LogConfig, LogFormat, init};
pub use metrics::{Metrics, unix_seconds};
pub use traces::{Traces, TracingConfig};
