//! Many messages at once, by their sids.

use std::collections::{BTreeSet, HashSet};

use axum::{Json, body::Bytes, extract::State};
use serde::Deserialize;
use serde_json::{Value, json};

use super::view::MessageView;
use crate::http::{AppState, Problem, ProblemKind};

/// How many sids one question may name.
const MAX_SIDS: usize = 1000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Lookup {
    sids: Vec<String>,
}

/// The messages of these sids, and the sids of which nothing is known, each once.
pub(crate) async fn lookup(State(state): State<AppState>, body: Bytes) -> Result<Json<Value>, Problem> {
    let Lookup { sids } = read(&body)?;
    let asked: BTreeSet<String> = sids.into_iter().collect();
    let storable: Vec<String> = asked.iter().filter(|sid| !sid.contains('\0')).cloned().collect();
    let messages = if storable.is_empty() { Vec::new() } else { state.store.lookup(&storable).await? };
    let known: HashSet<&str> = messages.iter().map(|message| message.sid.as_str()).collect();
    let missing: Vec<_> = asked.iter().filter(|sid| !known.contains(sid.as_str())).collect();
    let found: Vec<_> = messages.iter().map(|message| MessageView::of(message, &state.table)).collect();
    Ok(Json(json!({"found": found, "missing": missing})))
}

fn read(body: &[u8]) -> Result<Lookup, Problem> {
    let mut json = serde_json::Deserializer::from_slice(body);
    let lookup: Lookup = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let detail = format!("the body must be {{\"sids\": [\"…\"]}}: {error}");
        Problem::new(ProblemKind::MalformedBody, detail)
    })?;
    json.end()
        .map_err(|_| Problem::new(ProblemKind::MalformedBody, "something stands behind the JSON object"))?;
    if lookup.sids.len() > MAX_SIDS {
        let fault = format!("{} sids, at most {MAX_SIDS} are taken", lookup.sids.len());
        return Err(Problem::parameter("sids", fault));
    }
    Ok(lookup)
}
