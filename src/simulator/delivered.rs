//! The result of sending a callback, for the ledger.
//!
//! May import nothing else of this crate.

use super::{
    client::{NoReply, Reply},
    schedule::Item,
};

/// The result of one callback, after all its attempts.
pub(super) struct Delivered {
    pub item: Item,
    /// The failed attempts before the last one.
    pub earlier: Vec<Result<Reply, NoReply>>,
    pub last: Result<Reply, NoReply>,
}
