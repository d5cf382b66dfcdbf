//! Erases a recipient wherever callbacks are kept: from the store, and from the quarantine of a spool.

use std::collections::VecDeque;

use crate::storage::{Erased, Erasing, Erasure, Spool, SpoolError, Store, StoreError};

/// Erases a recipient step by step. What exists at the first step is erased.
pub struct RecipientErasing {
    store: Store,
    spool: Option<Spool>,
    /// What is not begun yet: nothing after the first step.
    wanted: Vec<Erasure>,
    begun: VecDeque<Begun>,
    erased: ErasedRecipient,
}

/// What is erased so far.
#[derive(Clone, Copy, Debug, Default)]
pub struct ErasedRecipient {
    /// In the store.
    pub stored: Erased,
    /// Quarantined requests that were deleted.
    pub quarantined: u64,
}

/// Why erasing cannot go on. What is erased stays erased.
#[derive(Debug, thiserror::Error)]
pub enum EraseError {
    /// The store fails.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The spool fails.
    #[error(transparent)]
    Spool(#[from] SpoolError),
}

/// An erasure under way.
struct Begun {
    erasure: Erasure,
    erasing: Erasing,
    /// The last quarantined request that is looked at.
    quarantined_through: i64,
}

impl RecipientErasing {
    /// Erases from a store, and from a spool where there is one. A recipient may need several erasures: a national
    /// number is another one in each account's country.
    #[must_use]
    pub fn new(store: Store, spool: Option<Spool>, wanted: Vec<Erasure>) -> Self {
        Self { store, spool, wanted, begun: VecDeque::new(), erased: ErasedRecipient::default() }
    }

    /// What is erased so far.
    #[must_use]
    pub fn erased(&self) -> ErasedRecipient {
        self.erased
    }

    /// Erases some of what is left. Returns whether there may be more. May be dropped at any time.
    ///
    /// # Errors
    /// [`EraseError`]: what [`Self::erased`] says is erased all the same.
    pub async fn step(&mut self) -> Result<bool, EraseError> {
        // Beginning is cheap: it is done for all before the first is erased.
        while let Some(erasure) = self.wanted.pop() {
            let begun = self.begin(erasure).await?;
            self.begun.push_front(begun);
        }
        let Some(first) = self.begun.front_mut() else { return Ok(false) };
        if first.erasing.step(&self.store, &mut self.erased.stored).await? {
            return Ok(true);
        }
        if let Some(spool) = &self.spool {
            first.erase_quarantined(spool, &mut self.erased.quarantined).await?;
        }
        self.begun.pop_front();
        Ok(!self.begun.is_empty())
    }

    async fn begin(&self, erasure: Erasure) -> Result<Begun, EraseError> {
        let quarantined_through = match &self.spool {
            Some(spool) => spool.last_quarantined().await?,
            None => 0,
        };
        let erasing = self.store.begin_erasing(erasure.clone()).await?;
        Ok(Begun { erasure, erasing, quarantined_through })
    }
}

impl Begun {
    async fn erase_quarantined(&self, spool: &Spool, count: &mut u64) -> Result<(), SpoolError> {
        let mut place = Some(0);
        while let Some(after) = place {
            let (erased, next) = spool.erase_quarantined(&self.erasure, after).await?;
            *count += erased;
            place = next.filter(|next| *next < self.quarantined_through);
        }
        Ok(())
    }
}
