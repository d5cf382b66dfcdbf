//! What those who run the service see of it: its log, its metrics and its
//! traces. Each layer registers what it counts.
//!
//! Imports nothing of this crate.

mod collector;
mod histogram;
mod log;
mod metrics;
mod traces;

pub use histogram::Histogram;
pub use log::{LogConfig, LogFormat, TelemetryError, init};
pub use metrics::{Family, Metrics, unix_seconds};
pub use traces::{Traces, TracingConfig};
