//! Exports: what a list shows, as long as it is, streamed.

use std::sync::Arc;

use axum::{
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, HeaderName, header},
    response::{IntoResponse, Response},
};
use futures_util::{Stream, stream};
use tokio::time::timeout;

use super::{csv_rows, filter::FilterReader, filter_params::FilterParams, view::MessageView};
use crate::{
    domain::Message,
    http::{
        AppState, Problem,
        extract::{QueryPairs, once},
        openapi::shapes::Refusals,
        pace::Reads,
        unanswered::Unanswered,
    },
    storage::{Cursor, MessageFilter, Page, PageRequest, StoreError},
};

/// How many messages one question to the database brings. Between two of them nothing is held but a place:
/// a client that reads slowly keeps neither a connection nor a snapshot.
const ROWS_PER_PAGE: u16 = 500;

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
pub(crate) enum Format {
    /// A JSON object a line.
    Ndjson,
    /// A table with a line of names.
    Csv,
}

impl Format {
    /// As `Accept` prefers it; JSON where it does not care.
    fn accepted(headers: &HeaderMap) -> Self {
        let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let types = accept.split(',').map(|media| media.split(';').next().unwrap_or_default().trim());
        let known = types.filter_map(|media| match media {
            "text/csv" => Some(Self::Csv),
            "application/x-ndjson" | "application/ndjson" | "application/json" => Some(Self::Ndjson),
            _ => None,
        });
        known.take(1).next().unwrap_or(Self::Ndjson)
    }

    fn headers(self) -> [(HeaderName, &'static str); 2] {
        match self {
            Self::Ndjson => [
                (header::CONTENT_TYPE, "application/x-ndjson"),
                (header::CONTENT_DISPOSITION, "attachment; filename=\"messages.ndjson\""),
            ],
            Self::Csv => [
                (header::CONTENT_TYPE, "text/csv; charset=utf-8; header=present"),
                (header::CONTENT_DISPOSITION, "attachment; filename=\"messages.csv\""),
            ],
        }
    }
}

/// Every message that the filters ask for.
///
/// Newest first, streamed; packed where `Accept-Encoding` names gzip. An answer that breaks off is no whole one.
#[utoipa::path(
    get, path = "/messages/export", tag = "Messages",
    params(FilterParams, ("format" = Option<Format>, Query, description = "How it is written; `Accept` decides otherwise.")),
    responses(
        (status = 200, description = "A JSON object a line, or a table", content(
            (MessageView = "application/x-ndjson"), (String = "text/csv"))),
        Refusals,
    ),
)]
pub(crate) async fn export(
    State(state): State<AppState>,
    QueryPairs(pairs): QueryPairs,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let mut format = None;
    let filter = FilterReader::read(&state, &pairs, &["format"], |name, value| {
        once(&mut format, name, super::filter_values::word(name, value)?)
    })?;
    let format = format.unwrap_or_else(|| Format::accepted(&headers));
    let export = Arc::new(Export { state, filter, format });
    // The first page decides whether there is an answer at all.
    let first = export.page(Reads::Scan, None).await?;
    let rows = Body::from_stream(export.stream(first));
    Ok((format.headers(), rows).into_response())
}

/// An export that is under way.
struct Export {
    state: AppState,
    filter: MessageFilter,
    format: Format,
}

/// A part of an export, as it is written.
struct Written {
    rows: Bytes,
    next: Option<Cursor>,
}

/// Where an export goes on.
enum Place {
    At(Written),
    After(Cursor),
    End,
}

impl Export {
    async fn page(self: &Arc<Self>, reads: Reads, after: Option<Cursor>) -> Result<Written, Unanswered> {
        let (export, page) = (Arc::clone(self), PageRequest { limit: ROWS_PER_PAGE, after });
        let written = async move {
            let Page { items, next } = export.state.store.list(&export.filter, page).await?;
            let head = if after.is_none() { export.head() } else { Bytes::new() };
            Ok(Written { rows: [head, export.rows(&items)?].concat().into(), next })
        };
        self.state.ask(reads, written).await
    }

    /// A page behind the first. It has a request's time: an export may take long, but has to go on.
    async fn next_page(self: &Arc<Self>, seen: Cursor) -> Result<Written, Unanswered> {
        let page = timeout(self.state.request_timeout, self.page(Reads::RestOfScan, Some(seen))).await;
        page.unwrap_or(Err(Unanswered::Deadline)).inspect_err(|unanswered| {
            unanswered.log();
            tracing::warn!("an export ends early");
            self.state.routes.failed(unanswered.kind());
        })
    }

    /// One chunk a page; the next page is asked for when the client has taken the one before. A page that
    /// fails ends the answer without its end, so that nobody takes a part for the whole.
    fn stream(self: Arc<Self>, first: Written) -> impl Stream<Item = Result<Bytes, Unanswered>> {
        stream::try_unfold((self, Place::At(first)), async |(export, place)| {
            let Written { rows, next } = match place {
                Place::At(written) => written,
                Place::After(seen) => export.next_page(seen).await?,
                Place::End => return Ok(None),
            };
            Ok(Some((rows, (export, next.map_or(Place::End, Place::After)))))
        })
    }

    fn head(&self) -> Bytes {
        match self.format {
            Format::Ndjson => Bytes::new(),
            Format::Csv => csv_rows::head(),
        }
    }

    fn rows(&self, messages: &[Message<'_>]) -> Result<Bytes, StoreError> {
        let views = messages.iter().map(|message| MessageView::of(message, &self.state.table));
        match self.format {
            Format::Csv => Ok(csv_rows::rows(views)),
            Format::Ndjson => {
                let mut lines = Vec::with_capacity(messages.len() * 512);
                for view in views {
                    serde_json::to_writer(&mut lines, &view)?;
                    lines.push(b'\n');
                }
                Ok(lines.into())
            }
        }
    }
}
