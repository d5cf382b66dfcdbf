//! Deletes what is too old in small steps, since a statement that deletes much would hold up callbacks. Each call is one
//! step; the caller pauses between steps.

use crate::domain::Time;
use crate::storage::{
    Backend, Cursor, Keep, Store, StoreError, on_readers, on_writer, sql, time::StoredTime,
};

/// A partition of the receipts. SQLite has one, without bounds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partition {
    /// Its table, quoted where that is needed.
    pub name: String,
    /// Receipts of this time and later; none: no lower bound.
    pub from: Option<Time>,
    /// Receipts before this time; none: the default partition, which holds what no other one does.
    pub to: Option<Time>,
}

/// Receipts in the default partition that belong to a partition that is to be made. They are there where it was not made in
/// time, or where a clock that ran ahead has dated them so. Postgres refuses to make the partition while they are there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Strays {
    /// How many there are; counting has stopped where these are as many as were asked for.
    pub rows: u64,
    /// When the last of them was received; only told where counting has stopped.
    pub last: Option<Time>,
    /// What the default partition holds in all, in bytes: making a partition looks through it.
    pub bytes_beside: u64,
}

/// How a partition is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Making {
    /// Only callbacks that go to the default partition wait for it. It fails where that holds receipts of its time.
    Empty,
    /// With the receipts of its time that are in the default partition. All callbacks wait for it.
    WithStrays,
}

/// What one step has deleted.
#[derive(Clone, Copy, Debug, Default)]
pub struct Swept {
    /// Messages.
    pub messages: u64,
    /// Receipts: those of the messages, or others.
    pub receipts: u64,
    /// Where the next step begins; none at the end.
    pub next: Option<Cursor>,
}

/// Messages whose first receipt is older than `$1`, from a position on, in the order of the index `messages_received`. Whether
/// the last receipt is too old as well is checked afterwards: an index on it would cost every callback.
macro_rules! candidates {
    ($place:literal) => {
        concat!(
            "SELECT id, first_received_at, last_received_at",
            $place,
            " FROM messages WHERE first_received_at < $1 AND (first_received_at, id) > ($2, $3) \
             ORDER BY first_received_at, id LIMIT $4"
        )
    };
}
pub(in crate::storage) use candidates;

impl Cursor {
    /// Before everything.
    pub const START: Self = Self { micros: 0, id: 0 };
}

impl Store {
    /// Whether the log of receipts lies in partitions by time.
    #[must_use]
    pub fn is_partitioned(&self) -> bool {
        matches!(self.backend, Backend::Postgres(_))
    }

    /// The parts of the log of receipts, the oldest first.
    ///
    /// # Errors
    /// [`StoreError`] where the database cannot be asked.
    pub async fn partitions(&self) -> Result<Vec<Partition>, StoreError> {
        match &self.backend {
            Backend::Postgres(postgres) => self.step(postgres.partitions()).await,
            Backend::Sqlite(_) => Ok(vec![Partition { name: "receipts".to_owned(), from: None, to: None }]),
        }
    }

    /// Makes a partition, and returns its name: another one where a table has that name already. Callbacks do not
    /// wait for a lock: where it is not to be had at once, it fails with
    /// [`Failure::Contention`](crate::storage::Failure::Contention).
    ///
    /// # Errors
    /// [`StoreError`]; nothing is made.
    pub async fn make_partition(&self, partition: &Partition, making: Making) -> Result<String, StoreError> {
        match (&self.backend, making) {
            (Backend::Postgres(postgres), Making::Empty) => {
                self.step(postgres.make_partition(partition)).await
            }
            (Backend::Postgres(postgres), Making::WithStrays) => {
                self.step(postgres.make_partition_of_strays(partition)).await
            }
            (Backend::Sqlite(_), _) => Ok(partition.name.clone()),
        }
    }

    /// The receipts of a partition's time that are in the default partition; counted up to `most`.
    ///
    /// # Errors
    /// [`StoreError`] where the database cannot answer.
    pub async fn strays(&self, partition: &Partition, most: u64) -> Result<Strays, StoreError> {
        match &self.backend {
            Backend::Postgres(postgres) => {
                self.step(postgres.strays(partition, i64::try_from(most).unwrap_or(i64::MAX))).await
            }
            Backend::Sqlite(_) => Ok(Strays::default()),
        }
    }

    /// Drops a partition with all its receipts. Fails as [`Self::make_partition`] does, so that callbacks wait
    /// for a tenth of a second at most.
    ///
    /// # Errors
    /// [`StoreError`]; it is still there.
    pub async fn drop_partition(&self, partition: &Partition) -> Result<(), StoreError> {
        match &self.backend {
            Backend::Postgres(postgres) => self.step(postgres.drop_partition(partition)).await,
            Backend::Sqlite(_) => Ok(()),
        }
    }

    /// Deletes some of the receipts of a partition that are older than `before`.
    ///
    /// They are looked for in the order in which they were stored, until there are none among some: those that
    /// an outage has held up go with what was stored before them.
    ///
    /// # Errors
    /// [`StoreError`]: none of them is deleted.
    pub async fn purge_receipts(
        &self,
        partition: &Partition,
        before: Time,
        after: Cursor,
    ) -> Result<Swept, StoreError> {
        match &self.backend {
            Backend::Postgres(postgres) => self.step(postgres.purge_receipts(partition, before, after)).await,
            Backend::Sqlite(sqlite) => self.step(sqlite.purge_receipts(before, after)).await,
        }
    }

    /// Deletes some of the messages of which the last receipt is older than `before`, with their receipts.
    ///
    /// # Errors
    /// [`StoreError`]: none of them is deleted.
    pub async fn purge_messages(&self, before: Time, after: Cursor) -> Result<Swept, StoreError> {
        match &self.backend {
            Backend::Postgres(postgres) => self.step(postgres.purge_messages(before, after)).await,
            Backend::Sqlite(sqlite) => self.step(sqlite.purge_messages(before, after)).await,
        }
    }

    /// Deletes some of the refused bodies that are too old or too many. Returns how many.
    ///
    /// # Errors
    /// [`StoreError`]: none of them is deleted.
    pub async fn purge_rejected(&self, now: Time, keep: Keep) -> Result<u64, StoreError> {
        let newest: Option<i64> =
            on_readers!(self, pool => sqlx::query_scalar(sql::NEWEST_REJECTED).fetch_one(pool))?;
        let Some(newest) = newest else { return Ok(0) };
        let (through, before) = (newest - i64::from(keep.count), StoredTime(keep.oldest(now)));
        on_writer!(self, sqlx::query(sql::PURGE_REJECTED).bind(through).bind(before))
    }

    /// Boxed, since it is larger than all that surrounds it.
    async fn step<T>(&self, step: impl Future<Output = sqlx::Result<T>>) -> Result<T, StoreError> {
        Box::pin(self.in_time(step)).await
    }
}
