//! The pages of a damaged file, as they were after the last commit.

use std::{
    ffi::OsString,
    fs::File,
    io,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

use super::{PAGE, be_u32, log::Log};

/// A file and its log, read without SQLite, and never written.
#[derive(Debug)]
pub(super) struct Image {
    file: File,
    length: u64,
    wal: Option<File>,
    log: Log,
    /// What a process that was killed, or is at work, says of the log: the beginning of `-shm`.
    index: Option<[u8; 100]>,
}

/// The first bytes of each file of SQLite's.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";

impl Image {
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let length = file.metadata()?.len();
        // Before the log, which a process that is at work makes longer meanwhile.
        let index = index_of(path);
        let (wal, log) = match File::open(beside(path, "-wal")) {
            Ok(wal) => {
                let log = Log::read(&wal)?;
                (Some(wal), log)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => (None, Log::default()),
            Err(error) => return Err(error),
        };
        Ok(Self { file, length, wal, log, index })
    }

    /// What is wrong with the ends of the file or with its log: what SQLite does not look at, or heals by
    /// forgetting.
    pub fn complaint(&self) -> Option<String> {
        if self.length == 0 {
            return Some("it is empty (0 bytes), which no spool is".into());
        }
        if self.log.damaged {
            return Some("its write-ahead log (-wal) is damaged".into());
        }
        if self.lost_frames() > 0 {
            return Some("its write-ahead log (-wal) is missing or cut".into());
        }
        if self.wal.is_none() && self.length < MAGIC.len() as u64 {
            return Some(format!("it is cut to {} bytes", self.length));
        }
        None
    }

    /// How many committed frames of the log are gone, by its index.
    pub fn lost_frames(&self) -> u64 {
        let Some(index) = self.index else { return 0 };
        // Its numbers are in the order of this machine's bytes.
        let number = |at: usize| u32::from_ne_bytes([0, 1, 2, 3].map(|byte| index[at + byte]));
        let (committed, in_database) = (u64::from(number(16)), u64::from(number(96)));
        let of_this_log = self.log.salt.is_none_or(|salt| index[32..40] == salt);
        let is_whole = index[..48] == index[48..96] && index[12] == 1 && of_this_log;
        let there = self.log.committed.min(committed).max(in_database);
        if is_whole { committed.saturating_sub(there) } else { 0 }
    }

    /// How many pages there should be; the header is believed where it agrees with itself.
    pub fn pages(&self) -> u32 {
        let there = u32::try_from(self.length.div_ceil(PAGE as u64)).unwrap_or(u32::MAX);
        let newest = self.log.newest.keys().copied().max().unwrap_or_default();
        let mut pages = there.max(newest);
        if self.log.pages > 0 {
            return self.log.pages;
        }
        if let Some(header) = self.page(1)
            && &header[..16] == MAGIC
            && header[24..28] == header[92..96]
        {
            pages = be_u32(&header, 28);
        }
        pages
    }

    /// The newest version of a page; what lies behind the file's end is zero. None where nothing is left of it,
    /// or the disk does not give it back.
    pub fn page(&self, number: u32) -> Option<Vec<u8>> {
        let mut page = vec![0; PAGE];
        let before = number.checked_sub(1)?;
        if let (Some(wal), Some(at)) = (&self.wal, self.log.newest.get(&number)) {
            return wal.read_exact_at(&mut page, *at).is_ok().then_some(page);
        }
        let at = u64::from(before) * PAGE as u64;
        if at >= self.length {
            return None;
        }
        let length = usize::try_from(self.length - at).unwrap_or(PAGE).min(PAGE);
        self.file.read_exact_at(&mut page[..length], at).is_ok().then_some(page)
    }

    /// Which pages hold nothing. None where the list of them is damaged.
    pub fn free(&self, pages: u32) -> Option<Vec<u32>> {
        let header = self.page(1).filter(|header| &header[..16] == MAGIC)?;
        let (mut trunk, wanted) = (be_u32(&header, 32), be_u32(&header, 36) as usize);
        let mut free = Vec::new();
        while trunk > 0 && trunk <= pages && free.len() < wanted {
            let page = self.page(trunk)?;
            let leaves = be_u32(&page, 4) as usize;
            if leaves > PAGE / 4 - 2 {
                return None;
            }
            free.push(trunk);
            free.extend((0..leaves).map(|leaf| be_u32(&page, 8 + 4 * leaf)));
            trunk = be_u32(&page, 0);
        }
        (trunk == 0 && free.len() == wanted).then_some(free)
    }
}

fn index_of(path: &Path) -> Option<[u8; 100]> {
    let mut index = [0; 100];
    File::open(beside(path, "-shm")).ok()?.read_exact_at(&mut index, 0).ok()?;
    Some(index)
}

/// A file of SQLite's beside its database.
pub(in crate::storage) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut path: OsString = path.as_os_str().to_owned();
    path.push(suffix);
    path.into()
}
