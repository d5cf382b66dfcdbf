//! Erases a recipient.

pub(super) mod erase;
pub(super) mod erase_batch;
pub(super) mod erase_messages;
pub(super) mod erase_sql;
pub(super) mod erasure;
pub(super) mod recipient_erasing;
