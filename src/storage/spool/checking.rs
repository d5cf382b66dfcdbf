//! Looking at all of a spool without changing it, for the command that does so beside the service.

use std::path::Path;

use super::{SetAside, opening::found_damaged, set_aside::find};
use crate::storage::{SpoolError, SpoolFile, damage::Integrity};

/// What looking at a spool has found.
#[derive(Debug, Default)]
pub struct SpoolCheck {
    /// Whether there is a file.
    pub exists: bool,
    /// What is wrong with it; none where it is as it should be.
    pub wrong: Option<String>,
    /// How many callbacks wait in it.
    pub waiting: u64,
    /// Damaged files that were set aside.
    pub set_aside: Vec<SetAside>,
}

/// Looks at all of the spool at `path`, for as long as that takes.
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
