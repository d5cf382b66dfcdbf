//! `[retention]`.

use serde::{Deserialize, Serialize};

use super::Period;

/// `[retention]`: how long what is stored is kept.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct RetentionConfig {
    /// How long receipts are kept, in days; 0: as long as messages.
    pub receipts_days: u32,
    /// How long messages are kept after their last callback, in days; 0: for ever.
    pub messages_days: u32,
    /// The period of a partition of receipts.
    pub partition: Period,
}

/// Why `[retention]` cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BadRetention {
    /// Receipts cannot be kept longer than their messages.
    #[error(
        "retention.receipts_days is {receipts}, and must be {messages} at most, which is retention.messages_days: \
         receipts go with their message (DLR__RETENTION__RECEIPTS_DAYS)"
    )]
    Order {
        /// `receipts_days`.
        receipts: u32,
        /// `messages_days`.
        messages: u32,
    },
}

impl RetentionConfig {
    /// Checks values against each other.
    ///
    /// # Errors
    /// [`BadRetention`] says what to set.
    pub fn check(&self) -> Result<(), BadRetention> {
        let &Self { receipts_days: receipts, messages_days: messages, .. } = self;
        if messages > 0 && receipts > messages {
            return Err(BadRetention::Order { receipts, messages });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn receipts_do_not_outlive_their_messages() {
        let check = |receipts_days, messages_days| {
            RetentionConfig { receipts_days, messages_days, partition: Period::Month }.check()
        };
        for (receipts, messages) in [(0, 0), (30, 0), (0, 90), (30, 90), (90, 90)] {
            assert!(check(receipts, messages).is_ok(), "{receipts} {messages}");
        }
        let fault = check(91, 90).unwrap_err().to_string();
        assert!(fault.contains("retention.receipts_days is 91") && fault.contains("retention.messages_days"));
    }
}
