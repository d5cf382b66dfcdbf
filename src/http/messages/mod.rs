//! Questions about messages, one endpoint per file; `filter*.rs` read what lists, exports and statistics filter by, and
//! `row_writer.rs` writes the rows of exports.

mod cells;
mod csv_rows;
pub(super) mod export;
pub(super) mod export_format;
mod filter;
mod filter_draft;
mod filter_params;
mod filter_schema;
mod filter_values;
mod find;
pub(super) mod get;
pub(super) mod list;
pub(super) mod lookup;
pub(super) mod receipts;
mod row_writer;
mod time_bound;
mod unwritten;
mod workbook;

pub(super) use self::{filter::FilterReader, filter_params::FilterParams, unwritten::Unwritten};
