//! Retention: deletes what is too old. Partitions of receipts are made ahead of time and dropped as a whole; everything else is
//! deleted in small steps, with pauses so that callbacks are not held up. Only one process at a time does it, under a lease, by the
//! database's clock, and only if its own clock agrees. May import `background`, `domain`, `pace`, `storage` and `telemetry`.

mod config;
mod error;
mod metrics;
mod partitions;
mod period;
mod plan;
mod purge;
mod step_pace;
mod survey;
mod task;
mod trusted_time;

pub use config::{BadRetention, RetentionConfig};
pub use error::PurgeError;
pub use metrics::RetentionMetrics;
pub use period::Period;
pub use plan::Retention;
pub use purge::{Purge, Purged};
pub use step_pace::StepPace;
pub use survey::Survey;
pub use task::RetentionJob;
