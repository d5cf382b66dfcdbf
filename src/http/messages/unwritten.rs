//! Why the rows of an export cannot be written.

use super::workbook::WorkbookError;

/// Why rows cannot be written.
#[derive(Debug, thiserror::Error)]
pub(in crate::http) enum Unwritten {
    /// As JSON.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    /// Into a workbook.
    #[error(transparent)]
    Workbook(#[from] WorkbookError),
}
