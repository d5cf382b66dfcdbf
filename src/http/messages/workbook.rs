//! Messages as a workbook of Excel's (`.xlsx`), made while it is sent.
//!
//! `rust_xlsxwriter` makes all of the workbook but the rows. It could write them too, but sends nothing before it has
//! them all: in its constant memory, up to some gigabytes of a temporary file, for which a container with a read-only
//! root has no place. So its archive is taken over part by part, the sheet's last, and the rows are put into that.

use std::{
    io::{self, Cursor, Read, Write},
    sync::{Arc, Mutex, PoisonError},
};

use axum::body::Bytes;
use chrono_tz::Tz;
use rust_xlsxwriter::{Format, IgnoreError, XlsxError};
use serde_json::json;
use zip::{
    ZipArchive, ZipWriter,
    result::ZipError,
    write::{SimpleFileOptions, StreamWriter},
};

use super::{
    cells::{TimeStyle, holds_times, push_row},
    csv_rows::COLUMNS,
};

use crate::answers::MessageView;

/// How many messages a sheet holds beside its line of names. Source: Excel's specifications and limits.
pub(super) const MOST_ROWS: u32 = 1_048_575;
/// Where the archive holds the one sheet.
const SHEET: &str = "xl/worksheets/sheet1.xml";
/// Rows are much alike: more work makes them only a tenth smaller, and callbacks share the processor.
const COMPRESSION: i64 = 1;

/// Why a workbook cannot be written.
#[derive(Debug, thiserror::Error)]
pub(in crate::http) enum WorkbookError {
    /// The parts around the rows.
    #[error("the workbook's frame cannot be made: {0}")]
    Frame(#[from] XlsxError),
    /// The frame is not as this module takes it.
    #[error("the workbook's frame has no place for rows")]
    NoPlace,
    /// The archive.
    #[error("the workbook cannot be packed: {0}")]
    Archive(#[from] ZipError),
    /// The archive too.
    #[error("the workbook cannot be packed: {0}")]
    Packing(#[from] io::Error),
    /// So many have come that were not there when they were counted.
    #[error("more messages than a sheet holds")]
    TooManyRows,
}

/// A workbook that is being written.
pub(super) struct Workbook {
    archive: ZipWriter<StreamWriter<Outbox>>,
    outbox: Outbox,
    times: TimeStyle,
    /// What stands in the sheet behind its rows.
    end: String,
    /// How many rows it has.
    rows: u32,
}

impl Workbook {
    /// With all but the rows and their end; times are by the clock of `zone`.
    pub fn begin(zone: Tz) -> Result<Self, WorkbookError> {
        let mut frame = ZipArchive::new(Cursor::new(frame(zone)?))?;
        let outbox = Outbox::default();
        let mut archive = ZipWriter::new_stream(outbox.clone());
        let mut sheet = String::new();
        for at in 0..frame.len() {
            let mut part = frame.by_index(at)?;
            if part.name()? == SHEET {
                part.read_to_string(&mut sheet)?;
            } else {
                archive.raw_copy_file(part)?;
            }
        }
        let Some((begin, style, end)) = around_rows(&sheet) else { return Err(WorkbookError::NoPlace) };
        archive.start_file(SHEET, SimpleFileOptions::default().compression_level(Some(COMPRESSION)))?;
        archive.write_all(begin.as_bytes())?;
        Ok(Self { archive, outbox, times: TimeStyle { zone, style }, end: end.to_owned(), rows: 1 })
    }

    /// Appends a row for each message, and takes what is packed so far.
    pub fn append<'m>(
        &mut self,
        messages: impl Iterator<Item = MessageView<'m>>,
    ) -> Result<Bytes, WorkbookError> {
        let mut xml = String::with_capacity(1 << 20);
        for message in messages {
            if self.rows > MOST_ROWS {
                return Err(WorkbookError::TooManyRows);
            }
            self.rows += 1;
            push_row(&mut xml, self.rows, &json!(message), self.times);
        }
        self.archive.write_all(xml.as_bytes())?;
        Ok(self.outbox.take())
    }

    /// Takes the rest of it.
    pub fn finish(mut self) -> Result<Bytes, WorkbookError> {
        self.archive.write_all(self.end.as_bytes())?;
        self.archive.finish()?;
        Ok(self.outbox.take())
    }
}

/// A workbook with the line of names, and a row with a time for its style.
fn frame(zone: Tz) -> Result<Vec<u8>, XlsxError> {
    let (bold, time) = (Format::new().set_bold(), Format::new().set_num_format("yyyy-mm-dd hh:mm:ss"));
    let mut workbook = rust_xlsxwriter::Workbook::new();
    let sheet = workbook.add_worksheet().set_name("messages")?;
    let last = u16::try_from(COLUMNS.len() - 1).unwrap_or(u16::MAX);
    for (at, column) in (0..).zip(COLUMNS) {
        let (name, width) = match column {
            times if holds_times(times) => (format!("{times} ({zone})"), 34),
            "sid" => (column.to_owned(), 36),
            _ => (column.to_owned(), 18),
        };
        sheet.write_string_with_format(0, at, name, &bold)?.set_column_width(at, width)?;
    }
    sheet.write_number_with_format(1, 0, 0, &time)?;
    sheet.set_freeze_panes(1, 0)?;
    // Sids and numbers are texts with reason.
    sheet.ignore_error_range(1, 0, MOST_ROWS, last, IgnoreError::NumberStoredAsText)?;
    workbook.save_to_buffer()
}

/// What stands before the rows, the style of the time in the one row that is there, and what stands behind them.
fn around_rows(sheet: &str) -> Option<(String, u32, &str)> {
    let (begin, row) = sheet.split_once("<row r=\"2\"")?;
    let (row, end) = row.split_at(row.find("</sheetData>")?);
    let (_, cell) = row.split_once("<c ")?;
    let (_, style) = cell.split_once("s=\"")?;
    let style = style.split('"').next()?.parse().ok()?;
    // The range of the cells is not known before its end, and may be left out.
    let (before, dimension) = begin.split_once("<dimension ")?;
    let (_, after) = dimension.split_once("/>")?;
    Some((format!("{before}{after}"), style, end))
}

/// Where the archive leaves what is packed until it is sent.
#[derive(Clone, Default)]
struct Outbox(Arc<Mutex<Vec<u8>>>);

impl Outbox {
    fn take(&self) -> Bytes {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner)).into()
    }
}

impl Write for Outbox {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_frame_has_a_place_for_rows() {
        let mut workbook = Workbook::begin(Tz::Asia__Kolkata).unwrap();
        assert!(workbook.end.starts_with("</sheetData>") && workbook.times.style > 0);
        let begun = workbook.append(std::iter::empty()).unwrap();
        let ended = workbook.finish().unwrap();
        let mut archive = ZipArchive::new(Cursor::new([begun, ended].concat())).unwrap();
        let mut sheet = String::new();
        archive.by_name(SHEET).unwrap().read_to_string(&mut sheet).unwrap();
        assert!(!sheet.contains("<row r=\"2\"") && !sheet.contains("<dimension"), "{sheet}");
        assert!(sheet.contains("</row></sheetData>"), "{sheet}");
    }
}
