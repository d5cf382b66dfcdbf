//! Checks a whole spool without changing it, for the command `check`, which may run beside the service.

use std::path::Path;

use super::{SetAside, opening::found_damaged, set_aside::find};
use crate::storage::{SpoolError, SpoolFile, damage::Integrity};

/// The result of checking a spool.
#[derive(Debug, Default)]
pub struct SpoolCheck {
    /// Whether there is a file.
    pub exists: bool,
    /// Its damage; none where it is undamaged.
    pub wrong: Option<String>,
    /// How many callbacks wait in it.
    pub waiting: u64,
    /// Damaged files that were set aside.
    pub set_aside: Vec<SetAside>,
}

/// Checks the whole spool at `path`, however long that takes.
pub async fn check_spool(path: &Path) -> SpoolCheck {
    let mut check = SpoolCheck { exists: path.exists(), ..SpoolCheck::default() };
    check.set_aside = find(path).unwrap_or_default();
    if check.exists {
        match found_damaged(path).await {
            Some(damage) => check.wrong = Some(damage),
            None => match look_at(path).await {
                Ok(waiting) => check.waiting = waiting,
                Err(error) => check.wrong = Some(error.to_string()),
            },
        }
    }
    check
}

async fn look_at(path: &Path) -> Result<u64, SpoolError> {
    let file = SpoolFile::open_to_read(path).await?;
    let looked = match file.look(None).await {
        Ok(Integrity::Damaged(damage)) => Err(SpoolError::Damaged(damage)),
        Ok(Integrity::Whole | Integrity::InPart) => file.count().await,
        Err(error) => Err(error),
    };
    file.close().await;
    looked
}
