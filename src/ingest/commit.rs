//! One batch into the store: merged, within its deadline, and without the rows that the store refuses.

use std::time::Duration;

use tokio::time::{Instant, timeout};

use super::{metrics::IngestMetrics, recorder::Recorder, rejected::Rejection};
use crate::{
    domain::{Batch, DeliveryReceipt},
    exotel::RawRequest,
    storage::{Dispute, Failure, StoreError},
};

/// A callback on its way into the store.
#[derive(Debug)]
pub(super) struct Uncommitted<T> {
    /// What it means.
    pub receipt: Box<DeliveryReceipt>,
    /// How it came.
    pub raw: RawRequest,
    /// Returned with the result, so that the caller knows which callback it is about.
    pub ticket: T,
}

/// What became of a batch. Each ticket is in one of the three.
#[derive(Debug)]
pub(super) struct Committed<T> {
    /// On disk.
    pub recorded: Vec<T>,
    /// Refused by the store; on disk in the log of refused bodies.
    pub refused: Vec<T>,
    /// What is not known to be on disk, and why.
    pub failed: Option<Failed<T>>,
}

/// The part of a batch that is not known to be on disk.
#[derive(Debug)]
pub(super) struct Failed<T> {
    pub error: StoreError,
    /// In the order in which it came. The first one is what the store fails at.
    pub rest: Vec<Uncommitted<T>>,
}

/// Commits batches, one at a time.
#[derive(Debug)]
pub(super) struct Committer<R> {
    pub recorder: R,
    /// The longest that one commit may take.
    pub deadline: Duration,
    pub metrics: IngestMetrics,
}

impl<R: Recorder> Committer<R> {
    /// Commits a batch as a whole. Where the store refuses what a row holds, the row is found by bisection and kept
    /// in the log of refused bodies; the others are committed.
    pub async fn commit<T>(&mut self, batch: Vec<Uncommitted<T>>) -> Committed<T> {
        let mut done = Committed { recorded: Vec::new(), refused: Vec::new(), failed: None };
        // A stack: the part that comes next in the batch stands last.
        let mut parts = vec![batch];
        while let Some(mut part) = parts.pop() {
            let error = match self.record(&part).await {
                Ok(()) => {
                    done.recorded.extend(part.into_iter().map(|uncommitted| uncommitted.ticket));
                    continue;
                }
                Err(error) if error.failure() != Failure::Poison => error,
                Err(_) if part.len() > 1 => {
                    let later = part.split_off(part.len() / 2);
                    parts.extend([later, part]);
                    continue;
                }
                Err(poison) => match Box::pin(self.reject(&part, &poison)).await {
                    Ok(()) => {
                        done.refused.extend(part.into_iter().map(|uncommitted| uncommitted.ticket));
                        continue;
                    }
                    Err(error) => error,
                },
            };
            parts.push(part);
            done.failed = Some(Failed { error, rest: parts.into_iter().rev().flatten().collect() });
            break;
        }
        done
    }

    /// Asks whether the store would commit a batch.
    pub async fn try_store(&mut self) -> Result<(), StoreError> {
        // A new connection takes longer than a commit may.
        self.recorder.try_writing(self.deadline.max(Duration::from_secs(3))).await
    }

    async fn record<T>(&mut self, part: &[Uncommitted<T>]) -> Result<(), StoreError> {
        let receipts: Vec<&DeliveryReceipt> = part.iter().map(|uncommitted| &*uncommitted.receipt).collect();
        let begun = Instant::now();
        let batch = Batch::of(receipts);
        let recorded = match timeout(self.deadline, self.recorder.record(&batch)).await {
            Ok(recorded) => recorded,
            Err(_) => Err(StoreError::TimedOut(self.deadline)),
        };
        match &recorded {
            Ok(disputes) => {
                self.metrics.committed(batch.receipts(), begun.elapsed());
                for dispute in disputes {
                    self.report(dispute);
                }
            }
            Err(error) => self.metrics.failed(error.failure()),
        }
        recorded.map(|_| ())
    }

    /// Counts and logs receipts that take no part in the outcome of their message.
    fn report(&self, Dispute { sid, account, excluded }: &Dispute) {
        self.metrics.excluded(account, *excluded);
        tracing::warn!(
            %account, %sid, receipts = excluded,
            "callbacks about this message were signed for another recipient; they are kept, and do not count"
        );
    }

    /// Keeps what the store refuses in the log of refused bodies.
    async fn reject<T>(&mut self, part: &[Uncommitted<T>], poison: &StoreError) -> Result<(), StoreError> {
        for Uncommitted { receipt, raw, .. } in part {
            tracing::warn!(sid = %receipt.sid, "the store refuses a callback; it is kept in the log of refused bodies");
            let reason = format!("the store refuses it: {poison}");
            self.recorder.reject(Rejection::of_receipt(receipt, raw), &reason).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;
    use crate::ingest::scripted::{DEADLINE, ScriptedStore, uncommitted};

    fn batch(size: usize) -> Vec<Uncommitted<usize>> {
        (0..size).map(|at| uncommitted(&sid(at), at)).collect()
    }

    fn sid(at: usize) -> String {
        format!("s{at:03}")
    }

    fn failed_tickets(committed: &Committed<usize>) -> Vec<usize> {
        let rest = committed.failed.iter().flat_map(|failed| &failed.rest);
        rest.map(|uncommitted| uncommitted.ticket).collect()
    }

    fn commit(store: &ScriptedStore, batch: Vec<Uncommitted<usize>>) -> Committed<usize> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        runtime.unwrap().block_on(store.committer().commit(batch))
    }

    #[test]
    fn a_batch_is_one_commit() {
        let store = ScriptedStore::default();
        let committed = commit(&store, batch(5));
        assert_eq!(committed.recorded, [0, 1, 2, 3, 4]);
        assert!(committed.refused.is_empty() && committed.failed.is_none());
        assert_eq!(store.script().tried.len(), 1);
    }

    #[test]
    fn a_poisoned_row_is_found_by_bisection_and_logged_with_the_reason() {
        let store = ScriptedStore::default();
        store.script().poison.insert(sid(11));
        let committed = commit(&store, batch(16));
        assert_eq!(committed.refused, [11]);
        assert_eq!(committed.recorded.len(), 15);
        // All 16, then two halves on each of the four levels.
        assert_eq!(store.script().tried.len(), 9);
        let (body, reason) = store.script().rejected[0].clone();
        assert_eq!(body, "SmsSid=s011&Status=sent");
        assert!(
            reason.starts_with("the store refuses it: ") && reason.contains("fits no column"),
            "{reason}"
        );
    }

    #[test]
    fn what_neither_the_store_nor_the_log_takes_fails_alone_and_stands_first() {
        let store = ScriptedStore::default();
        store.script().poison.insert(sid(1));
        store.script().poisons_log = true;
        let committed = commit(&store, batch(4));
        assert_eq!((&committed.recorded[..], &committed.refused[..]), (&[0][..], &[][..]));
        assert_eq!(failed_tickets(&committed), [1, 2, 3]);
        assert_eq!(committed.failed.unwrap().error.failure(), Failure::Poison);
    }

    #[test]
    fn a_commit_that_takes_too_long_has_failed() {
        let store = ScriptedStore::default();
        store.script().hangs = true;
        let committed = commit(&store, batch(3));
        assert_eq!(failed_tickets(&committed), [0, 1, 2]);
        assert!(matches!(committed.failed.unwrap().error, StoreError::TimedOut(DEADLINE)));
    }

    proptest! {
        /// Whatever is poison, and whenever the store fails: each callback ends in exactly one place, the good ones are
        /// recorded before the outage, and the order of the batch is kept.
        #[test]
        fn every_callback_ends_in_exactly_one_place(
            size in 1_usize..40,
            poison in proptest::collection::hash_set(0_usize..40, 0..6),
            fails_after in proptest::option::of(0_usize..30),
        ) {
            let store = ScriptedStore::default();
            store.script().poison = poison.iter().map(|at| sid(*at)).collect();
            store.script().fails_after = fails_after;
            let committed = commit(&store, batch(size));
            let failed = failed_tickets(&committed);
            let poison: HashSet<usize> = poison.into_iter().filter(|at| *at < size).collect();
            let mut all = [&committed.recorded[..], &committed.refused, &failed].concat();
            all.sort_unstable();
            prop_assert_eq!(all, (0..size).collect::<Vec<_>>());
            prop_assert!(committed.recorded.iter().all(|at| !poison.contains(at)));
            prop_assert!(committed.refused.iter().all(|at| poison.contains(at)));
            prop_assert!(committed.recorded.is_sorted() && committed.refused.is_sorted() && failed.is_sorted());
            let first_failed = failed.first().copied().unwrap_or(size);
            prop_assert!(committed.recorded.iter().chain(&committed.refused).all(|at| *at < first_failed));
            let script = store.script();
            prop_assert_eq!(script.recorded.len(), committed.recorded.len());
            prop_assert_eq!(script.rejected.len(), committed.refused.len());
            // For each poisoned row, two parts on each level at most.
            let levels = size.next_power_of_two().trailing_zeros() as usize;
            prop_assert!(script.tried.len() <= 1 + 2 * levels * poison.len());
            if fails_after.is_none() {
                prop_assert_eq!(committed.refused.len(), poison.len());
                prop_assert!(committed.failed.is_none());
            }
        }
    }
}
