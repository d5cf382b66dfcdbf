//! Many messages at once, by their sids.

use std::{
    collections::{BTreeSet, HashSet},
    sync::Arc,
};

use axum::{
    Json,
    body::Bytes,
    extract::{
        State,
        rejection::{BytesRejection, FailedToBufferBody},
    },
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    answers::MessageView,
    domain::{Message, StatusTable},
    http::{
        Problem, ProblemKind,
        extract::read_json,
        openapi::shapes::{ProblemBody, Refusals},
        pace::Reads,
        question::Questions,
    },
};

/// How many sids one question may name.
const MAX_SIDS: usize = 1000;

/// Which messages are looked up.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Lookup {
    /// Their sids, 1,000 at most.
    #[schema(max_items = 1000, example = json!(["0f477d60517e6e6a0f6d9a7e9af8630e"]))]
    sids: Vec<String>,
}

/// What is known of them.
#[derive(Serialize, ToSchema)]
struct LookedUp<'a> {
    /// The messages, in the order of their sids; one that several accounts have stands there for each.
    found: Vec<MessageView<'a>>,
    /// The sids of which nothing is known.
    missing: Vec<&'a str>,
}

/// Many messages at once.
#[utoipa::path(
    post, path = "/messages/lookup", tag = "Messages",
    request_body(content = Lookup, content_type = "application/json"),
    responses(
        (status = 200, description = "What is known of them", body = LookedUp),
        (status = 408, description = "The body comes too slowly", body = ProblemBody, content_type = "application/problem+json"),
        (status = 413, description = "More than a thousand sids can take", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "No such JSON", body = ProblemBody, content_type = "application/problem+json"),
        Refusals,
    ),
)]
pub(crate) async fn lookup(
    State(questions): State<Arc<Questions>>,
    State(table): State<Arc<StatusTable>>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    // axum stops reading after two megabytes, many times what a thousand sids take.
    let body = body.map_err(|error| match error {
        BytesRejection::FailedToBufferBody(FailedToBufferBody::LengthLimitError(_)) => {
            let detail = format!("at most {MAX_SIDS} sids are taken; the body is larger");
            Problem::new(ProblemKind::BodyTooLarge, detail)
        }
        error => Problem::broken_off(&error),
    })?;
    let Lookup { sids } = read(&body)?;
    let asked: BTreeSet<String> = sids.into_iter().collect();
    let storable: Vec<String> = asked.iter().filter(|sid| !sid.contains('\0')).cloned().collect();
    let messages = if storable.is_empty() { Vec::new() } else { find(&questions, storable).await? };
    let known: HashSet<&str> = messages.iter().map(|message| message.sid.as_str()).collect();
    let missing = asked.iter().map(String::as_str).filter(|sid| !known.contains(sid)).collect();
    let found = messages.iter().map(|message| MessageView::of(message, &table)).collect();
    Ok(Json(LookedUp { found, missing }).into_response())
}

async fn find(questions: &Arc<Questions>, sids: Vec<String>) -> Result<Vec<Message<'static>>, Problem> {
    let (reads, store) = (Reads::rows(sids.len()), questions.store.clone());
    Ok(questions.ask(reads, async move { store.lookup(&sids).await }).await?)
}

fn read(body: &[u8]) -> Result<Lookup, Problem> {
    let lookup: Lookup = read_json(body, "{\"sids\": [\"…\"]}")?;
    if lookup.sids.len() > MAX_SIDS {
        let fault = format!("{} sids, at most {MAX_SIDS} are taken", lookup.sids.len());
        return Err(Problem::parameter("sids", fault));
    }
    Ok(lookup)
}
