//! Makes missing partitions, for the present and ahead of time.

use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use chrono::{Days, SecondsFormat};

use super::Period;
use crate::{
    domain::Time,
    storage::{Failure, Making, Partition, Store, StoreError},
};

/// The most receipts that are moved out of the default partition while callbacks come in, and the largest size of it in bytes that is
/// searched meanwhile. Callbacks wait for both, for some hundredths of a second.
const MOST_STRAYS: u64 = 1000;
const MOST_BESIDE: u64 = 32 << 20;

/// Makes partitions.
#[derive(Debug)]
pub(super) struct Maker {
    store: Store,
    period: Period,
    /// Whether all partitions are made, however many receipts have to be moved and however long callbacks wait.
    is_thorough: bool,
    /// How many partitions in the far future were warned of.
    beyond: usize,
}

impl Maker {
    /// Makes partitions of this period in `store`.
    pub fn new(store: Store, period: Period) -> Self {
        Self { store, period, is_thorough: false, beyond: 0 }
    }

    /// The same, but makes all partitions, however long callbacks wait.
    pub fn thorough(self) -> Self {
        Self { is_thorough: true, ..self }
    }

    /// Makes the partitions that are missing among `partitions`. Returns how many it made, and warns of those that it cannot make.
    pub async fn make_missing(&mut self, partitions: &[Partition], now: Time) -> Result<u64, StoreError> {
        let mut made = 0;
        if self.store.is_partitioned() {
            self.warn_of_the_far_future(Period::beyond(partitions, now));
            for partition in self.period.missing(partitions, now) {
                made += u64::from(self.make(partition, now).await?);
            }
        }
        Ok(made)
    }

    /// Warns once of partitions in the far future.
    fn warn_of_the_far_future(&mut self, partitions: usize) {
        if partitions > self.beyond {
            tracing::warn!(
                partitions,
                "partitions of receipts stand in the far future, where a clock that ran ahead has made them; they do \
                 no harm, and hold the receipts that are dated so"
            );
        }
        self.beyond = partitions;
    }

    /// Makes a partition, or its later part. Returns whether it did.
    async fn make(&self, mut partition: Partition, now: Time) -> Result<bool, StoreError> {
        let strays = self.store.strays(&partition, MOST_STRAYS + 1).await?;
        let (are_many, is_large) = (strays.rows > MOST_STRAYS, strays.bytes_beside > MOST_BESIDE);
        if is_large && !self.is_thorough {
            tracing::warn!(
                partition = partition.name,
                bytes = strays.bytes_beside,
                "the default partition is too large to make a partition beside callbacks, so receipts go there; run \
                 `dlr-receiver purge --full-speed` while few callbacks come in"
            );
            return Ok(false);
        }
        if are_many && !self.is_thorough {
            let after = tomorrow(strays.last.unwrap_or(now).max(now));
            tracing::warn!(
                partition = partition.name,
                until = after.to_rfc3339_opts(SecondsFormat::Secs, true),
                "the default partition holds too many receipts of this one's time to move them beside callbacks; they \
                 stay there, with what comes until then. To move them, run `dlr-receiver purge --full-speed` while \
                 few callbacks come in"
            );
            if partition.to.is_some_and(|to| to <= after) {
                return Ok(false);
            }
            partition = Partition { name: Period::name(after), from: Some(after), ..partition };
        }
        // Callbacks of its time may be going to the default partition at this moment.
        let is_now = partition.from.is_none_or(|from| from <= now);
        let moves = strays.rows > 0 && (!are_many || self.is_thorough);
        let making = if is_now || moves { Making::WithStrays } else { Making::Empty };
        let name = unhindered(|| self.store.make_partition(&partition, making)).await?;
        tracing::info!(partition = name, with_receipts = moves, "made a partition of receipts");
        Ok(true)
    }
}

/// The first moment of the day after `time`, in UTC.
fn tomorrow(time: Time) -> Time {
    let day = time.date_naive().checked_add_days(Days::new(1)).unwrap_or(chrono::NaiveDate::MAX);
    day.and_time(chrono::NaiveTime::MIN).and_utc()
}

/// Retries a change with backoff while other sessions hold locks.
pub(super) async fn unhindered<T, F: Future<Output = Result<T, StoreError>>>(
    change: impl FnMut() -> F,
) -> Result<T, StoreError> {
    let pauses =
        ExponentialBuilder::new().with_min_delay(Duration::from_millis(200)).with_max_times(5).with_jitter();
    change.retry(pauses).when(|error| error.failure() == Failure::Contention).await
}
