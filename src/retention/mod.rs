//! How long what is stored is kept: partitions of receipts are made ahead of time and dropped whole, and
//! everything else is deleted a little at a time, with pauses that leave callbacks what they need. One
//! process at a time does it, by the database's clock, and only where its own agrees. May import `domain`, `storage` and `telemetry`.

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
