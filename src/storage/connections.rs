//! The connections of a store, counted.

use crate::storage::{Backend, Store};

/// Connections of a pool.
#[derive(Clone, Copy, Debug)]
pub struct Connections {
    /// How many are open.
    pub open: u32,
    /// How many of them are idle.
    pub idle: u32,
    /// The most that may be open.
    pub most: u32,
}

impl Store {
    /// The connections for questions, as they are now.
    #[must_use]
    pub fn connections(&self) -> Connections {
        let of = |open, idle, most| Connections { open, idle: u32::try_from(idle).unwrap_or(open), most };
        match &self.backend {
            Backend::Postgres(postgres) => {
                let pool = postgres.pool();
                of(pool.size(), pool.num_idle(), pool.options().get_max_connections())
            }
            Backend::Sqlite(sqlite) => {
                let pool = sqlite.readers();
                of(pool.size(), pool.num_idle(), pool.options().get_max_connections())
            }
        }
    }
}
