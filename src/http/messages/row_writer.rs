//! The rows of an export, in each of its formats.

use std::{panic::resume_unwind, sync::Arc};

use axum::body::Bytes;
use chrono_tz::Tz;
use tokio::task::spawn_blocking;

use super::{
    csv_rows,
    export_format::ExportFormat,
    unwritten::Unwritten,
    workbook::{Workbook, WorkbookError},
};
use crate::{
    answers::MessageView,
    domain::{Message, StatusTable},
};

/// What has been written of an export so far, as far as the rest depends on it.
pub(super) enum RowWriter {
    /// Lines of JSON.
    Ndjson,
    /// A table, which has its line of names or not.
    Csv { has_names: bool },
    /// A workbook; none once it has been finished.
    Workbook(Option<Box<Workbook>>),
}

/// A page of an export.
pub(super) struct Rows {
    pub messages: Vec<Message<'static>>,
    /// Whether none come after it.
    pub are_last: bool,
}

impl RowWriter {
    /// Times in a workbook are by the clock of `zone`.
    pub fn new(format: ExportFormat, zone: Tz) -> Result<Self, Unwritten> {
        Ok(match format {
            ExportFormat::Ndjson => Self::Ndjson,
            ExportFormat::Csv => Self::Csv { has_names: false },
            ExportFormat::Xlsx => Self::Workbook(Some(Box::new(Workbook::begin(zone)?))),
        })
    }

    /// Writes a page.
    pub async fn write(&mut self, rows: Rows, table: &Arc<StatusTable>) -> Result<Bytes, Unwritten> {
        let views = rows.messages.iter().map(|message| MessageView::of(message, table));
        match self {
            Self::Csv { has_names } => {
                let names = if *has_names { Bytes::new() } else { csv_rows::head() };
                *has_names = true;
                Ok([names, csv_rows::rows(views)].concat().into())
            }
            Self::Ndjson => {
                let mut lines = Vec::with_capacity(rows.messages.len() * 512);
                for view in views {
                    serde_json::to_writer(&mut lines, &view)?;
                    lines.push(b'\n');
                }
                Ok(lines.into())
            }
            Self::Workbook(workbook) => {
                let (unfinished, table) = (workbook.take(), Arc::clone(table));
                let Some(unfinished) = unfinished else { return Ok(Bytes::new()) };
                // Packing takes milliseconds, in which callbacks are to be answered.
                let packed = spawn_blocking(move || pack(unfinished, &rows, &table)).await;
                let (rest, packed) =
                    packed.unwrap_or_else(|panicked| resume_unwind(panicked.into_panic()))?;
                *workbook = rest;
                Ok(packed)
            }
        }
    }
}

/// Packs a page into a workbook, which is handed back where there is more.
fn pack(
    mut workbook: Box<Workbook>,
    rows: &Rows,
    table: &StatusTable,
) -> Result<(Option<Box<Workbook>>, Bytes), WorkbookError> {
    let packed = workbook.append(rows.messages.iter().map(|message| MessageView::of(message, table)))?;
    if !rows.are_last {
        return Ok((Some(workbook), packed));
    }
    Ok((None, [packed, workbook.finish()?].concat().into()))
}
