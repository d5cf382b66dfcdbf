//! From a request that was let in to a receipt on disk, or to the log of refused bodies.
//!
//! May import `domain`, `exotel` and `storage`.

mod accept;
mod config;

pub use accept::{Ingest, IngestError};
pub use config::RejectedConfig;
