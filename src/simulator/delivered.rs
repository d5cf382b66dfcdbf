//! What came of a callback, for the ledger.
//!
//! May import nothing else of this crate.

use super::{
    client::{NoReply, Reply},
    schedule::Item,
};

/// What came of one callback, after all its attempts.
pub(super) struct Delivered {
    pub item: Item,
    /// Those that were not answered as they should be, except for the last one.
    pub earlier: Vec<Result<Reply, NoReply>>,
    pub last: Result<Reply, NoReply>,
}
