//! SQLite's write-ahead log, frame by frame: where the newest committed version of each page stands.
//!
//! Source: "WAL-Index and WAL file format" in SQLite's description of its file format. SQLite ends at the
//! first frame that is damaged, and forgets all those behind it. Here each frame is checked on its own.

use std::{collections::HashMap, fs::File, io, os::unix::fs::FileExt};

use super::{PAGE, be_u32};

/// What a log holds.
#[derive(Debug, Default)]
pub(super) struct Log {
    /// Where the newest version of a page stands in the file.
    pub newest: HashMap<u32, u64>,
    /// How many pages the database has after the last commit.
    pub pages: u32,
    /// Whether frames before the last commit are not as they were written.
    pub damaged: bool,
    /// How many frames there are up to the last commit.
    pub committed: u64,
    /// What tells these frames from those of an earlier log; none where there is no frame.
    pub salt: Option<[u8; 8]>,
}

const HEADER: u64 = 32;
const FRAME_HEADER: usize = 24;
const FRAME: usize = FRAME_HEADER + PAGE;
/// The log begins with this, plus one where the checksums are big-endian.
const MAGIC: u32 = 0x377f_0682;

/// The running checksum: that of a frame begins with that of the frame before.
type Sum = (u32, u32);

struct Summing {
    big_endian: bool,
}

/// The frames that follow a header.
struct Frames {
    count: u64,
    summing: Summing,
    /// What the frames of this log have in common.
    salt: [u8; 8],
    /// The checksum before the first frame; none where the header is damaged.
    before: Option<Sum>,
}

impl Summing {
    fn of(&self, before: Sum, bytes: &[u8]) -> Sum {
        let (mut a, mut b) = before;
        for pair in bytes.as_chunks::<8>().0 {
            let word = |at: usize| {
                let word = [pair[at], pair[at + 1], pair[at + 2], pair[at + 3]];
                if self.big_endian { u32::from_be_bytes(word) } else { u32::from_le_bytes(word) }
            };
            a = a.wrapping_add(word(0)).wrapping_add(b);
            b = b.wrapping_add(word(4)).wrapping_add(a);
        }
        (a, b)
    }
}

impl Log {
    /// Reads a log. Frames that stand behind the last commit are left out: nothing in them was acknowledged.
    pub fn read(file: &File) -> io::Result<Self> {
        let length = file.metadata()?.len();
        if length < HEADER + FRAME as u64 {
            return Ok(Self::default());
        }
        let mut header = [0; 32];
        file.read_exact_at(&mut header, 0)?;
        let magic = be_u32(&header, 0);
        let summing = Summing { big_endian: magic == MAGIC + 1 };
        let whole = magic & !1 == MAGIC && summing.of((0, 0), &header[..24]) == sum_at(&header, 24);
        let mut salt = [0; 8];
        // A log begins anew with another salt. Where the header is damaged, the first frame says it.
        if whole {
            salt.copy_from_slice(&header[16..24]);
        } else {
            file.read_exact_at(&mut salt, HEADER + 8)?;
        }
        let before = whole.then(|| sum_at(&header, 24));
        let frames = Frames { count: (length - HEADER) / FRAME as u64, summing, salt, before };
        Self { damaged: !whole, salt: Some(salt), ..Self::default() }.with_frames(file, &frames)
    }

    fn with_frames(mut self, file: &File, frames: &Frames) -> io::Result<Self> {
        let Frames { count, summing, salt, before } = frames;
        let mut before = *before;
        let (mut frame, mut open, mut bad) = (vec![0; FRAME], HashMap::new(), false);
        for number in 0..*count {
            let at = HEADER + number * FRAME as u64;
            file.read_exact_at(&mut frame, at)?;
            let stored = sum_at(&frame, 16);
            let whole = before.is_some_and(|before| {
                summing.of(summing.of(before, &frame[..8]), &frame[FRAME_HEADER..]) == stored
            });
            before = Some(stored);
            if frame[8..16] != *salt {
                bad = true;
                continue;
            }
            bad |= !whole;
            let (page, pages) = (be_u32(&frame, 0), be_u32(&frame, 4));
            open.insert(page, at + FRAME_HEADER as u64);
            // A commit says how many pages there are after it.
            if pages > 0 && whole {
                self.newest.extend(open.drain());
                self.damaged |= bad;
                (self.pages, self.committed) = (pages, number + 1);
            }
        }
        Ok(self)
    }
}

fn sum_at(bytes: &[u8], at: usize) -> Sum {
    (be_u32(bytes, at), be_u32(bytes, at + 4))
}
