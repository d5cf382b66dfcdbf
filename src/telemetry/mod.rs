//! What those who run the service see of it: its log, and its metrics. Each layer registers what it counts.
//!
//! Imports nothing of this crate.

mod histogram;
mod log;
mod metrics;

pub use histogram::Histogram;
pub use log::{LogConfig, LogFormat, TelemetryError, init};
pub use metrics::{Family, Metrics};
