//! One batch into the store: within its time, and without the rows that the store refuses.

use std::time::Duration;

use tokio::time::{Instant, timeout};

use super::{metrics::IngestMetrics, rejected::RejectedLog};
use crate::{
    domain::DeliveryReceipt,
    exotel::RawRequest,
    storage::{Dispute, Failure, StoreError, Writer},
};

/// A callback on its way into the store, and who waits for it.
#[derive(Debug)]
pub(super) struct Pending<W> {
    /// What it means.
    pub receipt: Box<DeliveryReceipt>,
    /// How it came.
    pub raw: RawRequest,
    /// Who waits.
    pub waiting: W,
}

/// What became of a batch.
#[derive(Debug)]
pub(super) struct Committed<W> {
    /// On disk.
    pub recorded: Vec<W>,
    /// Refused by the store; on disk in the log of refused bodies.
    pub refused: Vec<W>,
    /// What is not known to be on disk, and why.
    pub failed: Option<(StoreError, Vec<Pending<W>>)>,
}

/// Commits batches, one at a time.
#[derive(Debug)]
pub(super) struct Committer {
    pub writer: Writer,
    pub deadline: Duration,
    pub rejected: RejectedLog,
    pub metrics: IngestMetrics,
}

impl Committer {
    /// Commits a batch as a whole. Where the store refuses what a row holds, the row is found by halving
    /// the batch, and is kept in the log of refused bodies; the others are committed.
    pub async fn commit<W>(&mut self, batch: Vec<Pending<W>>) -> Committed<W> {
        let mut done = Committed { recorded: Vec::new(), refused: Vec::new(), failed: None };
        // The part to go on with stands last.
        let mut parts = vec![batch];
        while let Some(mut part) = parts.pop() {
            let error = match self.record(&part).await {
                Ok(()) => {
                    done.recorded.extend(part.into_iter().map(|pending| pending.waiting));
                    continue;
                }
                Err(error) if error.failure() != Failure::Poison => error,
                Err(_) if part.len() > 1 => {
                    let later = part.split_off(part.len() / 2);
                    parts.extend([later, part]);
                    continue;
                }
                Err(poison) => match Box::pin(self.refuse(&part, &poison)).await {
                    Ok(()) => {
                        done.refused.extend(part.into_iter().map(|pending| pending.waiting));
                        continue;
                    }
                    Err(error) => error,
                },
            };
            parts.push(part);
            done.failed = Some((error, parts.into_iter().rev().flatten().collect()));
            break;
        }
        done
    }

    /// Asks the store whether it would commit a batch.
    pub async fn try_store(&mut self) -> Result<(), StoreError> {
        // Connecting anew takes longer than a commit may.
        self.writer.try_writing(self.deadline.max(Duration::from_secs(3))).await
    }

    async fn record<W>(&mut self, part: &[Pending<W>]) -> Result<(), StoreError> {
        let receipts: Vec<&DeliveryReceipt> = part.iter().map(|pending| &*pending.receipt).collect();
        let begun = Instant::now();
        let recorded = match timeout(self.deadline, self.writer.record(&receipts)).await {
            Ok(recorded) => recorded,
            Err(_) => Err(StoreError::TimedOut(self.deadline)),
        };
        match &recorded {
            Ok(disputes) => {
                self.metrics.committed(&receipts, begun.elapsed());
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

    async fn refuse<W>(&self, part: &[Pending<W>], poison: &StoreError) -> Result<(), StoreError> {
        for Pending { receipt, raw, .. } in part {
            tracing::warn!(sid = %receipt.sid, "the store refuses a callback; it is kept in the rejected log");
            let reason = format!("the store refuses it: {poison}");
            self.rejected.append(raw, (&receipt.account, receipt.received_at), &reason).await?;
        }
        Ok(())
    }
}
