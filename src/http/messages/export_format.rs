//! How an export is written, and how that is asked for.

use axum::http::{HeaderMap, HeaderName, header};

use crate::http::{
    Problem,
    negotiation::{Offer, preferred},
};

/// The media type of a workbook.
pub(in crate::http) const WORKBOOK: &str =
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/// How an export is written.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    strum::EnumString,
    strum::IntoStaticStr,
    strum::VariantArray,
    utoipa::ToSchema,
)]
#[strum(serialize_all = "snake_case")]
#[schema(rename_all = "snake_case")]
pub(in crate::http) enum ExportFormat {
    /// A JSON object a line.
    Ndjson,
    /// A table with a line of names.
    Csv,
    /// A workbook of Excel's with one sheet.
    Xlsx,
}

/// The media types that are known, the preferred one first.
const OFFERS: [Offer<ExportFormat>; 5] = [
    Offer { media_type: "application/x-ndjson", format: ExportFormat::Ndjson },
    Offer { media_type: "application/ndjson", format: ExportFormat::Ndjson },
    Offer { media_type: "application/json", format: ExportFormat::Ndjson },
    Offer { media_type: "text/csv", format: ExportFormat::Csv },
    Offer { media_type: WORKBOOK, format: ExportFormat::Xlsx },
];

impl ExportFormat {
    /// As `Accept` prefers it; JSON where it does not care.
    pub fn accepted(headers: &HeaderMap) -> Result<Self, Problem> {
        preferred(headers, &OFFERS)
    }

    /// What it is, and under which name it is saved.
    pub fn headers(self) -> [(HeaderName, &'static str); 2] {
        let (media_type, disposition) = match self {
            Self::Ndjson => ("application/x-ndjson", "attachment; filename=\"messages.ndjson\""),
            Self::Csv => ("text/csv; charset=utf-8; header=present", "attachment; filename=\"messages.csv\""),
            Self::Xlsx => (WORKBOOK, "attachment; filename=\"messages.xlsx\""),
        };
        [(header::CONTENT_TYPE, media_type), (header::CONTENT_DISPOSITION, disposition)]
    }
}
