//! Leases: what one process does at a time, whichever of the replicas it is. By the database's clock, since
//! replicas' clocks differ.

use std::time::Duration;

use super::{Backend, Store, StoreError, postgres, sqlite};

/// Takes a lease that is free, has run out, or is the holder's own already.
macro_rules! take_lease {
    ($now:literal, $until:literal) => {
        concat!(
            "INSERT INTO leases (name, holder, expires_at) VALUES ($1, $2, ",
            $until,
            ") ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at \
             WHERE leases.holder = excluded.holder OR leases.expires_at < ",
            $now
        )
    };
}
pub(super) use take_lease;

/// Gives a lease back.
pub(super) const RELEASE: &str = "DELETE FROM leases WHERE name = $1 AND holder = $2";

/// The right to do something alone, for a while.
#[derive(Clone, Debug)]
pub struct Lease {
    /// What is done alone.
    pub name: &'static str,
    /// Who does it: no two processes, nor two tasks of one, have the same word here.
    pub holder: String,
    /// How long the right lasts without being renewed.
    pub term: Duration,
}

impl Store {
    /// Takes the lease, or renews it. False where somebody else has it.
    ///
    /// # Errors
    /// [`StoreError`] where the database cannot be asked.
    pub async fn take(&self, lease: &Lease) -> Result<bool, StoreError> {
        let micros = i64::try_from(lease.term.as_micros()).unwrap_or(i64::MAX);
        let taken = match &self.backend {
            Backend::Postgres(to) => {
                let take =
                    sqlx::query(postgres::TAKE_LEASE).bind(lease.name).bind(&lease.holder).bind(micros);
                self.in_time(async { Ok(take.execute(to.pool()).await?.rows_affected()) }).await?
            }
            Backend::Sqlite(to) => {
                let take = sqlx::query(sqlite::TAKE_LEASE).bind(lease.name).bind(&lease.holder).bind(micros);
                self.in_time(async { Ok(take.execute(to.writer()).await?.rows_affected()) }).await?
            }
        };
        Ok(taken > 0)
    }

    /// Gives the lease back, where it is still the holder's.
    ///
    /// # Errors
    /// [`StoreError`] where the database cannot be asked; the lease then runs out by itself.
    pub async fn release(&self, lease: &Lease) -> Result<(), StoreError> {
        match &self.backend {
            Backend::Postgres(to) => {
                let release = sqlx::query(RELEASE).bind(lease.name).bind(&lease.holder);
                self.in_time(async { release.execute(to.pool()).await.map(|_| ()) }).await
            }
            Backend::Sqlite(to) => {
                let release = sqlx::query(RELEASE).bind(lease.name).bind(&lease.holder);
                self.in_time(async { release.execute(to.writer()).await.map(|_| ()) }).await
            }
        }
    }
}
