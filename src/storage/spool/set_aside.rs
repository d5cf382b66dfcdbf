//! Damaged spool files that were set aside, such as `spool.db.damaged-1`, and what is known of each.

use std::{
    fs,
    io::{self, Write},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

use super::moving::{numbered, numbers, sync_folder};
use crate::{
    domain::Time,
    storage::spool::salvage::{Findings, Mark, Salvage, beside},
};

/// A damaged file that was set aside.
#[derive(Clone, Debug)]
pub struct SetAside {
    /// The file.
    pub path: PathBuf,
    /// Its damage, where that is known.
    pub damage: String,
    /// What it holds; none until it was scanned.
    pub findings: Option<Findings>,
    /// Whether everything that can be read of it was drained.
    pub is_drained: bool,
    /// Up to which callback it was drained when it was last drained.
    drained_through: Option<Mark>,
    /// The versions of the file and its log when it was last scanned.
    seen: FileVersion,
}

/// Size and time of change of a file and of its log: they show whether anything was written.
type FileVersion = [(u64, u128); 2];

/// The suffix of the file that marks a set-aside file as drained.
const DRAINED: &str = ".drained";
impl SetAside {
    /// One that was set aside just now.
    #[must_use]
    pub fn new(path: PathBuf, damage: String) -> Self {
        let seen = version(&path);
        Self { path, damage, findings: None, is_drained: false, drained_through: None, seen }
    }

    /// Reads what an earlier process has left of `path`.
    fn known(path: PathBuf) -> Self {
        let mut known = Self::new(path, "found before this start".to_owned());
        let Ok(text) = fs::read_to_string(beside(&known.path, DRAINED)) else { return known };
        let value = |key: &str| {
            let mut lines = text.lines().filter_map(|line| line.split_once('='));
            lines.find(|(name, _)| *name == key).map(|(_, value)| value.to_owned())
        };
        let number = |key: &str| value(key).and_then(|value| value.parse().ok());
        let last = value("last").and_then(|value| {
            let (place, micros) = value.split_once('@')?;
            let received_at = Time::from_timestamp_micros(micros.parse().ok()?)?;
            Some(Mark { place: place.parse().ok()?, received_at })
        });
        known.drained_through = last;
        known.is_drained = value("version").as_deref() == Some(&*format!("{:?}", known.seen));
        known.damage = value("damage").unwrap_or(known.damage);
        known.findings = number("readable").filter(|_| known.is_drained).map(|readable| Findings {
            readable,
            missing: number("missing"),
            last,
        });
        known
    }

    /// Its name without the folder.
    #[must_use]
    pub fn name(&self) -> String {
        self.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// Scans the whole file.
    ///
    /// # Errors
    /// What the system says.
    pub fn salvage(&mut self) -> io::Result<Salvage> {
        self.seen = version(&self.path);
        let mut salvage = Salvage::open(&self.path)?;
        self.findings = Some(salvage.findings());
        if let Some(through) = self.drained_through {
            salvage.skip(through);
        }
        Ok(salvage)
    }

    /// Whether a process that still has it open has written to it since it was scanned.
    pub(super) fn has_changed(&self) -> bool {
        version(&self.path) != self.seen
    }

    /// Marks it as drained, so that it is not drained again unless it changes.
    ///
    /// # Errors
    /// What the system says: it is drained again at the next start then, which is harmless.
    pub(super) fn mark_drained(&mut self, findings: Findings) -> io::Result<()> {
        (self.is_drained, self.findings, self.drained_through) = (true, Some(findings), findings.last);
        let Findings { readable, missing, last } = findings;
        let last =
            last.map(|Mark { place, received_at }| format!("{place}@{}", received_at.timestamp_micros()));
        let missing = missing.map_or_else(|| "unknown".to_owned(), |missing| missing.to_string());
        let damage = self.damage.replace('\n', " ");
        let text = format!(
            "What can be read of this damaged spool was drained. Written by dlr-receiver, which drains it again \
             where this file is missing.\ndamage={damage}\nreadable={readable}\nmissing={missing}\n\
             last={}\nversion={:?}\n",
            last.unwrap_or_default(),
            self.seen
        );
        let (path, new) = (beside(&self.path, DRAINED), beside(&self.path, ".drained-new"));
        let mut file = fs::File::create(&new)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(new, path)?;
        sync_folder(&self.path)
    }
}

/// Those that lie beside the spool at `spool`, the oldest first.
pub(super) fn find(spool: &Path) -> io::Result<Vec<SetAside>> {
    let mut found: Vec<_> = numbers(spool)?
        .into_iter()
        .filter_map(|(number, suffix)| suffix.is_empty().then_some(number))
        .collect();
    found.sort_unstable();
    Ok(found.into_iter().map(|number| SetAside::known(numbered(spool, number))).collect())
}

fn version(path: &Path) -> FileVersion {
    ["", "-wal"].map(|part| match fs::metadata(beside(path, part)) {
        Ok(data) => {
            let written = data.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
            (data.size(), written.unwrap_or_default().as_nanos())
        }
        Err(_) => (0, 0),
    })
}
