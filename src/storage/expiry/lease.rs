//! Leases: only one process at a time does a job, whichever replica it is. They go by the database's clock, since replicas'
//! clocks differ.

use std::time::Duration;

use crate::storage::{Store, StoreError, on_writer};

/// Gives a lease back.
pub(in crate::storage) const RELEASE: &str = "DELETE FROM leases WHERE name = $1 AND holder = $2";

/// The right to do a job alone, for a limited time.
#[derive(Clone, Debug)]
pub struct Lease {
    /// The job.
    pub name: &'static str,
    /// Identifies the task that holds it: no two processes, and no two tasks of one process, have the same value.
    pub holder: String,
    /// How long it lasts without being renewed.
    pub term: Duration,
}

impl Store {
    /// Takes the lease, or renews it. False while another task holds it.
    ///
    /// # Errors
    /// [`StoreError`] where the database cannot be asked.
    pub async fn take(&self, lease: &Lease) -> Result<bool, StoreError> {
        let micros = i64::try_from(lease.term.as_micros()).unwrap_or(i64::MAX);
        let take = self.statements().take_lease;
        let taken = on_writer!(self, sqlx::query(take).bind(lease.name).bind(&lease.holder).bind(micros))?;
        Ok(taken > 0)
    }

    /// Gives the lease back, where it is still the holder's.
    ///
    /// # Errors
    /// [`StoreError`] where the database cannot be asked; the lease then runs out by itself.
    pub async fn release(&self, lease: &Lease) -> Result<(), StoreError> {
        on_writer!(self, sqlx::query(RELEASE).bind(lease.name).bind(&lease.holder)).map(|_| ())
    }
}
