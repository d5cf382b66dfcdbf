//! Renames a damaged file with its log. No file is ever overwritten, and an interrupted move is completed at the next start.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::storage::spool::salvage::beside;

/// What stands between the spool's name and the number in the name of a set-aside file.
const MARK: &str = ".damaged-";
/// The suffixes of a SQLite database's files. Log and index are moved first: as long as the database itself has its old name,
/// the move is not complete.
const PARTS: [&str; 3] = ["-wal", "-shm", ""];

/// Moves the spool at `spool` aside, with its log. Returns where it is.
///
/// # Errors
/// What the system says.
pub(super) fn set_aside(spool: &Path) -> io::Result<PathBuf> {
    let taken = numbers(spool)?;
    let number = taken.iter().map(|(number, _)| number + 1).max().unwrap_or(1);
    move_to(spool, number)?;
    Ok(numbered(spool, number))
}

/// Completes the move of a file whose log was moved by a process that ended before it could move the rest.
///
/// # Errors
/// What the system says.
pub(super) fn finish_moving(spool: &Path) -> io::Result<()> {
    let found = numbers(spool)?;
    for (number, suffix) in &found {
        let is_whole = found.contains(&(*number, String::new()));
        if PARTS[..2].contains(&suffix.as_str()) && !is_whole && fs::exists(spool)? {
            move_to(spool, *number)?;
            break;
        }
    }
    Ok(())
}

fn move_to(spool: &Path, number: u64) -> io::Result<()> {
    let to = numbered(spool, number);
    for part in PARTS {
        match fs::rename(beside(spool, part), beside(&to, part)) {
            Err(error) if part.is_empty() || error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    sync_folder(spool)
}

/// The files of the folder that belong to set-aside ones: their number, and the suffix behind it.
pub(super) fn numbers(spool: &Path) -> io::Result<Vec<(u64, String)>> {
    let prefix = beside(Path::new(spool.file_name().unwrap_or_default()), MARK);
    let prefix = prefix.to_string_lossy();
    let mut numbers = Vec::new();
    for entry in fs::read_dir(folder(spool))? {
        let name = entry?.file_name();
        let name = name.to_string_lossy();
        let Some(rest) = name.strip_prefix(&*prefix) else { continue };
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        if let Ok(number) = rest[..digits].parse() {
            numbers.push((number, rest[digits..].to_owned()));
        }
    }
    Ok(numbers)
}

pub(super) fn numbered(spool: &Path, number: u64) -> PathBuf {
    beside(spool, &format!("{MARK}{number}"))
}

fn folder(file: &Path) -> &Path {
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

pub(super) fn sync_folder(file: &Path) -> io::Result<()> {
    fs::File::open(folder(file))?.sync_all()
}
