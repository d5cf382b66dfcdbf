//! Looking at every page of a damaged file.

use std::collections::HashSet;

use super::{
    LOCKED, Leaf, PAGE, Salvage, be_u32,
    count::Count,
    page::{SqlitePage, columns},
    row::{self, Row},
};

enum PageKind {
    Callbacks(Leaf),
    Interior(Vec<u32>),
    Other,
}

impl Salvage {
    pub(super) fn look_at_all(&mut self, pages: u32) -> Count {
        let (free, mut count, mut below) = (self.image.free(pages), Count::default(), HashSet::new());
        let is_known = free.is_some();
        let free: HashSet<u32> = free.unwrap_or_default().into_iter().collect();
        let mut overflow = Vec::new();
        for number in 1..=pages {
            if free.contains(&number) {
                count.known += 1;
                continue;
            }
            match self.look_at(number, &mut overflow) {
                Some(PageKind::Callbacks(leaf)) => self.leaves.push(leaf),
                Some(PageKind::Interior(children)) => below.extend(children),
                Some(PageKind::Other) => count.known += 1,
                None => count.unread.push(number),
            }
        }
        // Pages that were freed still look as they did. Where the list of these is damaged, what stands in the
        // tree is live.
        if !is_known && !below.is_empty() {
            self.leaves.retain(|leaf| below.contains(&leaf.page));
        }
        let overflow: HashSet<u32> = overflow.into_iter().collect();
        count.unread.retain(|page| !overflow.contains(page));
        count.overflow = overflow.len() as u64;
        for leaf in &self.leaves {
            let rows = self.rows_of(leaf.page, &mut Vec::new()).unwrap_or_default();
            count.rows += rows.iter().filter(|(_, row)| row.is_some()).count() as u64;
        }
        count
    }

    fn look_at(&mut self, number: u32, overflow: &mut Vec<u32>) -> Option<PageKind> {
        let page = self.image.page(number)?;
        match SqlitePage::read(&page, number) {
            SqlitePage::Interior(children) => return Some(PageKind::Interior(children)),
            SqlitePage::Index => return Some(PageKind::Other),
            SqlitePage::Other => return (number == LOCKED).then_some(PageKind::Other),
            // The schema.
            SqlitePage::Leaf(_) if number == 1 => return Some(PageKind::Other),
            SqlitePage::Leaf(cells) if cells.is_empty() => return Some(PageKind::Other),
            SqlitePage::Leaf(_) => {}
        }
        let rows = self.rows_of(number, overflow)?;
        let is_other = rows.iter().any(|(_, row)| matches!(row, Some(Row::Other)));
        let leaf = row::first(&rows).map(|first| Leaf {
            page: number,
            first,
            cells: rows.len().cast_signed() as i64,
        });
        for (_, row) in rows {
            if let Some(Row::Quarantined(request)) = row {
                self.quarantined.push(request);
            }
        }
        leaf.map(PageKind::Callbacks).or(is_other.then_some(PageKind::Other))
    }

    /// The rows of a page, each with its place as it is written; none where it cannot be read.
    pub(super) fn rows_of(&self, number: u32, overflow: &mut Vec<u32>) -> Option<Vec<(i64, Option<Row>)>> {
        let page = self.image.page(number)?;
        let SqlitePage::Leaf(cells) = SqlitePage::read(&page, number) else { return None };
        let mut rows = Vec::with_capacity(cells.len());
        for cell in cells {
            let Some(cell) = cell else {
                rows.push((0, None));
                continue;
            };
            let mut bytes = page[cell.at..cell.at + cell.local].to_vec();
            let mut next = cell.overflow;
            while bytes.len() < cell.length && next > 0 {
                let Some(page) = self.image.page(next) else { break };
                overflow.push(next);
                let length = (cell.length - bytes.len()).min(PAGE - 4);
                bytes.extend_from_slice(&page[4..4 + length]);
                next = be_u32(&page, 0);
            }
            // The last page of a row names no other.
            let is_whole = bytes.len() == cell.length && next == 0;
            rows.push((cell.id, is_whole.then(|| columns(&bytes)).flatten().and_then(Row::of)));
        }
        Some(rows)
    }
}
