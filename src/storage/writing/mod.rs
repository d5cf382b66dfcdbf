//! Writes batches of receipts and messages, and settles disputes about messages.

pub(super) mod settle;
pub(super) mod settle_sql;
pub(super) mod settling;
pub(super) mod standing;
pub(super) mod writer;
