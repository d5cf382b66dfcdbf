//! How many callbacks may be missing.

use super::Leaf;

/// What was seen of a file's pages.
#[derive(Debug, Default)]
pub(super) struct Count {
    /// Those that hold no callbacks, and are as they should be.
    pub known: u64,
    /// Those that hold the rest of a long row.
    pub overflow: u64,
    /// Those that cannot be read.
    pub unread: Vec<u32>,
    /// Callbacks that can be read.
    pub rows: u64,
}

impl Count {
    /// How many callbacks may be missing, at most. Between two pages their places tell; at the ends there may be
    /// as many as are on other pages. None where no page tells anything.
    pub fn missing(&self, leaves: &[Leaf]) -> Option<u64> {
        let cells: u64 = leaves.iter().map(|leaf| leaf.cells.unsigned_abs()).sum();
        let broken = cells.saturating_sub(self.rows);
        let unread = self.unread.len() as u64;
        if leaves.is_empty() {
            return (unread == 0 && self.known > 0).then_some(0);
        }
        let between = leaves.windows(2).map(|pair| (pair[1].first - pair[0].first - pair[0].cells).max(0));
        let between: u64 = between.map(i64::unsigned_abs).sum();
        // The rest of long callbacks included.
        let pages = leaves.len() as u64 + self.overflow;
        let held = |pages_of: u64| (pages_of * cells).div_ceil(pages);
        let explained = ((2 * between * pages + cells) / (2 * cells)).min(unread);
        let densest = leaves.iter().map(|leaf| leaf.cells.unsigned_abs()).max().unwrap_or_default();
        let at_the_ends = (unread - explained) * densest.max(held(1));
        // No gap is larger than the pages that cannot be read: else these were freed before.
        let between = if unread == 0 { 0 } else { between.min(unread * densest.max(1) * 2) };
        Some(broken + between + at_the_ends)
    }
}
