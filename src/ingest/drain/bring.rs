//! Spooled callbacks on their way into the store.

use super::Drain;
use crate::{
    ingest::{commit::Pending, reader::Arrival, rejected::reason, spool::unspooled},
    storage::{Failure, SpooledRequest, StoreError},
};

/// A callback that can never be drained: its place in the spool, and why.
pub(super) type Undrainable = (i64, String);

impl Drain {
    /// Brings callbacks to the store, as if they came now but for their time. Returns those that will
    /// never get there.
    pub(super) async fn bring(&mut self, oldest: &[SpooledRequest]) -> Result<Vec<Undrainable>, StoreError> {
        let (mut undrainable, mut batch, mut refused) = (Vec::new(), Vec::new(), Vec::new());
        for spooled in oldest {
            let (id, received_at, raw) = (spooled.id, spooled.received_at, unspooled(spooled));
            let Some(account) = self.reader.accounts.get(spooled.account.as_str()) else {
                undrainable.push((id, format!("the account `{}` is not configured", spooled.account)));
                continue;
            };
            let arrival = Arrival { account, received_at, signed_for: spooled.signed_for.as_deref() };
            match self.reader.read(&raw, arrival) {
                Ok(receipt) => batch.push(Pending { receipt, raw, waiting: id }),
                Err(error) => refused.push((id, raw, (&account.name, received_at), reason(&error))),
            }
        }
        // The receipts first: where the store fails, this shows it before anything is kept twice.
        while let Some((error, mut rest)) = self.committer.commit(std::mem::take(&mut batch)).await.failed {
            if error.failure() != Failure::Poison {
                return Err(error);
            }
            undrainable.push((rest.remove(0).waiting, error.to_string()));
            batch = rest;
        }
        for (id, raw, reception, reason) in refused {
            match self.committer.rejected.append(&raw, reception, &reason).await {
                Err(error) if error.failure() == Failure::Poison => undrainable.push((id, error.to_string())),
                kept => kept?,
            }
        }
        Ok(undrainable)
    }
}
