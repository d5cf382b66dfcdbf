//! From an authenticated request to a receipt on disk, or to the log of refused bodies.
//!
//! A callback is read by [`Ingest`], waits in the queue of the group commit, and is answered once its
//! batch is on disk. While the store fails, the circuit is open and the spool takes the raw requests;
//! the drain reads them again once the store is back. May import `domain`, `exotel`, `storage` and
//! `telemetry`.

mod accept;
mod circuit;
mod commit;
mod complaints;
mod config;
mod drain;
mod group_commit;
mod kept;
mod metrics;
mod overflow;
mod preparation;
mod reader;
mod recorder;
mod rejected;
mod replay;
#[cfg(test)]
mod scripted;
mod spool;
mod spooled;
mod start;

pub use accept::{Accepted, Ingest, IngestError, ReadCallback};
pub use config::{BadIngest, IngestConfig, RejectedConfig, SpoolConfig};
pub use group_commit::QueueLength;
pub use kept::{Kept, NotKept};
pub use metrics::IngestMetrics;
pub use preparation::{Preparation, Prepare, Unprepared};
pub use reader::Arrival;
pub use start::{IngestParts, IngestTasks};
