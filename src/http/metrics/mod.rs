//! What is counted of requests, and `/metrics`, where all of it is read.
//!
//! Handles are kept where counting is done. Labels are words of ours: routes, not paths; accounts that are
//! configured; classes of statuses. What a caller sends makes no series.

mod account;
mod layer;
mod pending;
mod route;
pub(super) mod scrape;

pub(super) use self::{account::AccountMetrics, layer::Measure, pending::PendingMessages, route::Routes};
