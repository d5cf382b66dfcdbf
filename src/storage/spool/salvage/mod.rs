//! Reading a damaged spool around its damage: page by page, without SQLite, which stops at the first page
//! that it cannot read.
//!
//! Callbacks are numbered without gaps, so that what is missing between two pages is known exactly, and what
//! is missing at the ends by how many pages cannot be read. A file that is read here is never written.

mod count;
mod image;
mod log;
mod page;
mod row;
mod scan;

use std::{io, path::Path};

pub(in crate::storage) use self::image::beside;
use self::{image::Image, row::Row};
use crate::domain::Time;
use crate::storage::spool::file::{QuarantinedRequest, SpooledRequest};

/// SQLite's page size, which every spool is made with.
pub(in crate::storage) const PAGE: usize = 4096;
/// The page that SQLite leaves out, as its locks are there.
const LOCKED: u32 = (1 << 30) / 4096 + 1;

/// A damaged file that is being read.
#[derive(Debug)]
pub struct Salvage {
    image: Image,
    /// Pages with callbacks, in the order of these.
    leaves: Vec<Leaf>,
    /// The next of them.
    next: usize,
    /// What could not be drained when the file was whole, and was set aside.
    quarantined: Vec<QuarantinedRequest>,
    findings: Findings,
}

/// What there is in a damaged file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// How many callbacks can be read.
    pub readable: u64,
    /// How many more it may have held, at most; none where nothing tells.
    pub missing: Option<u64>,
    /// The last callback that can be read; none where there is none.
    pub last: Option<Mark>,
}

/// A callback, so that it is known again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Its place.
    pub place: i64,
    /// When it came.
    pub received_at: Time,
}

/// A page with callbacks.
#[derive(Clone, Copy, Debug)]
struct Leaf {
    page: u32,
    /// The place of the first.
    first: i64,
    /// How many there are, those that cannot be read included.
    cells: i64,
}

/// What SQLite would not notice of the file at `path`, as it heals by forgetting, or says wrongly.
///
/// # Errors
/// What the system says.
pub(in crate::storage) fn complaint(path: &Path) -> io::Result<Option<String>> {
    match Image::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        image => Ok(image?.complaint()),
    }
}

impl Salvage {
    /// Looks at every page of the file at `path`.
    ///
    /// # Errors
    /// What the system says; a page that the disk does not give back is none.
    pub fn open(path: &Path) -> io::Result<Self> {
        let image = Image::open(path)?;
        let (pages, lost_frames) = (image.pages(), image.lost_frames());
        let mut salvage = Self {
            image,
            leaves: Vec::new(),
            next: 0,
            quarantined: Vec::new(),
            findings: Findings::default(),
        };
        let count = salvage.look_at_all(pages);
        salvage.leaves.sort_by_key(|leaf| leaf.first);
        salvage.findings = Findings {
            readable: count.rows,
            missing: count.missing(&salvage.leaves).filter(|_| lost_frames == 0),
            last: salvage.last(),
        };
        Ok(salvage)
    }

    /// What there is in it.
    #[must_use]
    pub fn findings(&self) -> Findings {
        self.findings
    }

    /// What was in the quarantine.
    #[must_use]
    pub fn quarantined(&self) -> &[QuarantinedRequest] {
        &self.quarantined
    }

    /// Leaves out the quarantine, and callbacks up to one that is still where it was: a file that another process has emptied
    /// counts from 1 again.
    pub fn skip(&mut self, through: Mark) {
        let next = self.leaves.partition_point(|leaf| leaf.first + leaf.cells <= through.place);
        let Some(leaf) = self.leaves.get(next).copied() else { return };
        let callbacks = self.callbacks_of(leaf);
        if callbacks.iter().any(|request| Mark::of(request) == through) {
            let is_last = leaf.first + leaf.cells - 1 == through.place;
            self.next = next + usize::from(is_last);
            self.quarantined.clear();
        }
    }

    /// The next callbacks, in the order in which they came, about as many as `limit`; none at the end.
    pub fn batch(&mut self, limit: usize) -> Vec<SpooledRequest> {
        let mut batch = Vec::new();
        while batch.len() < limit
            && let Some(leaf) = self.leaves.get(self.next).copied()
        {
            self.next += 1;
            batch.extend(self.callbacks_of(leaf));
        }
        batch
    }

    fn callbacks_of(&self, leaf: Leaf) -> Vec<SpooledRequest> {
        let rows = self.rows_of(leaf.page, &mut Vec::new()).unwrap_or_default();
        let callbacks = (leaf.first..).zip(rows).filter_map(|(place, (_, row))| match row {
            Some(Row::Spooled(request)) => Some(SpooledRequest { id: place, ..request }),
            _ => None,
        });
        callbacks.collect()
    }

    fn last(&self) -> Option<Mark> {
        for leaf in self.leaves.iter().rev() {
            if let Some(last) = self.callbacks_of(*leaf).last() {
                return Some(Mark::of(last));
            }
        }
        None
    }
}

impl Mark {
    fn of(request: &SpooledRequest) -> Self {
        Self { place: request.id, received_at: request.received_at }
    }
}

fn be_u32(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

fn be_u16(bytes: &[u8], at: usize) -> u16 {
    u16::from_be_bytes([bytes[at], bytes[at + 1]])
}
