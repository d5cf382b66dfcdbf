//! Deletes what is too old, and leases for jobs that only one process does at a time.

pub(super) mod keep;
pub(super) mod lease;
pub(super) mod retention;
pub(super) mod survey;
