//! Exports: what a list shows, as long as it is, streamed.

use std::{collections::BTreeSet, sync::Arc};

use axum::{
    body::{Body, Bytes},
    extract::State,
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use chrono_tz::Tz;
use futures_util::{Stream, stream};
use tokio::time::timeout;

use super::{
    export_format::ExportFormat,
    filter::FilterReader,
    filter_params::FilterParams,
    row_writer::{RowWriter, Rows},
    workbook::MOST_ROWS,
};
use crate::storage::{Cursor, MessageFilter, Page, PageRequest};
use crate::{
    answers::MessageView,
    http::{
        AppState, Problem, ProblemKind,
        extract::{QueryPairs, once},
        openapi::shapes::{ProblemBody, Refusals},
        pace::Reads,
        unanswered::Unanswered,
    },
};

/// How many messages one question to the database brings. Between two of them nothing is held but a place:
/// a client that reads slowly keeps neither a connection nor a snapshot.
const ROWS_PER_PAGE: u16 = 500;

/// Every message that the filters ask for.
///
/// Newest first, streamed; packed where `Accept-Encoding` names gzip. An answer that breaks off is no whole one. In a
/// workbook times are by the clock of the accounts that are asked for, where they have one time zone, and in UTC
/// otherwise: the names of the columns say which.
#[utoipa::path(
    get, path = "/messages/export", tag = "Messages",
    params(FilterParams, ("format" = Option<ExportFormat>, Query, description = "How it is written; `Accept` decides otherwise. A workbook (`xlsx`) holds 1,048,575 messages.")),
    responses(
        (status = 200, description = "A JSON object a line, a table, or a workbook", content(
            (MessageView = "application/x-ndjson"), (String = "text/csv"),
            (Vec<u8> = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"))),
        (status = 406, description = "`Accept` takes none of these, and `available` names them", body = ProblemBody, content_type = "application/problem+json"),
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
    let format = format.map_or_else(|| ExportFormat::accepted(&headers), Ok)?;
    if format == ExportFormat::Xlsx {
        fits_a_sheet(&state, &filter).await?;
    }
    let writer = RowWriter::new(format, zone(&state, &filter)).map_err(Unanswered::from)?;
    let export = Arc::new(Export { state, filter });
    // The first page decides whether there is an answer at all.
    let first = export.page(Reads::Scan, None, writer).await?;
    let rows = Body::from_stream(export.stream(first));
    Ok((format.headers(), rows).into_response())
}

/// Counts the messages before the answer begins. Where that takes too long, it begins all the same: it breaks off where
/// they turn out to be too many.
async fn fits_a_sheet(state: &AppState, filter: &MessageFilter) -> Result<(), Problem> {
    let (store, filter) = (state.questions.store.clone(), filter.clone());
    let counted =
        state.questions.ask(Reads::Scan, async move { store.count(&filter, MOST_ROWS + 1).await }).await;
    let counted = match counted {
        Err(unanswered) if unanswered.kind() == ProblemKind::TookTooLong => return Ok(()),
        counted => counted?,
    };
    if counted <= i64::from(MOST_ROWS) {
        return Ok(());
    }
    let fault = "xlsx holds 1048575 messages, and more are asked for; narrow the question, such as by received_from and \
                 received_to, or take csv or ndjson";
    Err(Problem::parameter("format", fault).with("max_messages", MOST_ROWS))
}

/// The time zone of the accounts that are asked for, where it is one.
fn zone(state: &AppState, filter: &MessageFilter) -> Tz {
    let accounts = state.accounts.settings_among(&filter.accounts);
    let zones: BTreeSet<&str> = accounts.iter().map(|account| account.time_zone.name()).collect();
    if zones.len() == 1 { accounts[0].time_zone } else { Tz::UTC }
}

/// An export that is under way.
struct Export {
    state: AppState,
    filter: MessageFilter,
}

/// A part of an export, as it is written, and what writes the next one.
struct WrittenPart {
    rows: Bytes,
    next: Option<Cursor>,
    writer: RowWriter,
}

/// Where an export goes on.
enum Place {
    At(WrittenPart),
    After(Cursor, RowWriter),
    End,
}

impl Export {
    async fn page(
        self: &Arc<Self>,
        reads: Reads,
        after: Option<Cursor>,
        mut writer: RowWriter,
    ) -> Result<WrittenPart, Unanswered> {
        let (export, page) = (Arc::clone(self), PageRequest { limit: ROWS_PER_PAGE, after });
        let written = async move {
            let Page { items, next } = export.state.questions.store.list(&export.filter, page).await?;
            let rows = Rows { messages: items, are_last: next.is_none() };
            let rows = writer.write(rows, &export.state.table).await;
            Ok(rows.map(|rows| WrittenPart { rows, next, writer }))
        };
        Ok(self.state.questions.ask(reads, written).await??)
    }

    /// A page behind the first. It has a request's time: an export may take long, but has to go on.
    async fn next_page(self: &Arc<Self>, seen: Cursor, writer: RowWriter) -> Result<WrittenPart, Unanswered> {
        let page = self.page(Reads::RestOfScan, Some(seen), writer);
        let page = timeout(self.state.request_timeout, page).await;
        page.unwrap_or(Err(Unanswered::Deadline)).inspect_err(|unanswered| {
            unanswered.log();
            tracing::warn!("an export ends early");
            self.state.operation.routes.failed(unanswered.kind());
        })
    }

    /// One chunk a page; the next page is asked for when the client has taken the one before. A page that
    /// fails ends the answer without its end, so that nobody takes a part for the whole.
    fn stream(self: Arc<Self>, first: WrittenPart) -> impl Stream<Item = Result<Bytes, Unanswered>> {
        stream::try_unfold((self, Place::At(first)), async |(export, place)| {
            let WrittenPart { rows, next, writer } = match place {
                Place::At(written) => written,
                Place::After(seen, writer) => export.next_page(seen, writer).await?,
                Place::End => return Ok(None),
            };
            let place = next.map_or(Place::End, |next| Place::After(next, writer));
            Ok(Some((rows, (export, place))))
        })
    }
}
