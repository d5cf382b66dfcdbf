//! Counts what a purge would do, without doing it.

use super::{Retention, plan::Fate};
use crate::{
    domain::Time,
    storage::{Partition, Span, Store, StoreError},
};

/// What a purge would do.
#[derive(Clone, Debug, Default)]
pub struct Survey {
    /// The messages that would be deleted.
    pub messages: Span,
    /// The partitions that would be dropped, and what is in them.
    pub dropped: Vec<(Partition, Span)>,
    /// The tables out of which receipts would be deleted for their age, and how many.
    pub swept: Vec<(Partition, Span)>,
    /// Other receipts that would be deleted with their messages.
    pub with_messages: Span,
    /// The refused bodies that would be deleted.
    pub rejected: Span,
    /// The partitions that would be made.
    pub made: Vec<Partition>,
}

impl Survey {
    /// Counts what is too old at `now`.
    ///
    /// # Errors
    /// [`StoreError`] where the database cannot answer.
    pub async fn of(store: &Store, retention: &Retention, now: Time) -> Result<Self, StoreError> {
        let mut survey = Self::default();
        let partitions = store.partitions().await?;
        if store.is_partitioned() {
            survey.made = retention.period().missing(&partitions, now);
        }
        for partition in partitions {
            match retention.fate(&partition, now) {
                Fate::Stays => {}
                Fate::IsSwept(before) => {
                    let old = store.old_receipts(&partition, before).await?;
                    survey.swept.push((partition, old));
                }
                Fate::IsDropped => {
                    let all = store.old_receipts(&partition, partition.to.unwrap_or(now)).await?;
                    survey.dropped.push((partition, all));
                }
            }
        }
        if let Some(before) = retention.messages_before(now) {
            survey.messages = store.old_messages(before).await?;
            let counted = survey.counted_until(retention, now);
            survey.with_messages = store.receipts_of_old_messages(before, counted).await?;
        }
        survey.rejected = store.old_rejected(now, retention.rejected).await?;
        Ok(survey)
    }

    /// Receipts before this time are already counted as dropped or as deleted for their age.
    fn counted_until(&self, retention: &Retention, now: Time) -> Time {
        let swept = self.swept.iter().filter_map(|(partition, _)| match retention.fate(partition, now) {
            // The default partition holds receipts of any time.
            Fate::IsSwept(before) if partition.to.is_some() || self.swept.len() == 1 => Some(before),
            _ => None,
        });
        let dropped = self.dropped.iter().filter_map(|(partition, _)| partition.to);
        swept.chain(dropped).max().unwrap_or(Time::UNIX_EPOCH)
    }

    /// How many receipts would be deleted one by one.
    #[must_use]
    pub fn receipts(&self) -> u64 {
        self.with_messages.rows + self.swept.iter().map(|(_, span)| span.rows).sum::<u64>()
    }
}
