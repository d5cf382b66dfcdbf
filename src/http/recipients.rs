//! Forgetting a recipient on request.

use axum::{
    Json,
    body::Bytes,
    extract::{State, rejection::BytesRejection},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    AppState, Problem, ProblemKind,
    openapi::{ProblemBody, Refusals},
};
use crate::{
    domain::{AccountName, ForgottenNumber},
    storage::{Erasure, SpoolError},
};

/// Whose data is erased.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Erase {
    /// The number, in any spelling.
    #[schema(example = "+919812345670")]
    recipient: String,
    /// Only what this account's callbacks said.
    #[schema(nullable = false)]
    account: Option<String>,
}

/// What was erased.
#[derive(Default, Serialize, ToSchema)]
#[schema(as = Erased)]
pub(super) struct ErasedView {
    /// Messages that have lost their recipient and the sender's text.
    messages: u64,
    /// Their receipts, of which only what became of the message is left.
    receipts: u64,
    /// Refused bodies that named the number, and are deleted.
    rejected: u64,
    /// Spooled callbacks that could not be drained and named the number; they are deleted.
    quarantined: u64,
    /// Callbacks that wait in this replica's spool, whomever they are about. They bring back what they say: ask
    /// again once there are none.
    spooled: u64,
    /// Damaged files of this replica's spool that were set aside. They may hold the number and are not reached:
    /// delete them once they are of no more use.
    set_aside_files: u64,
}

/// Erases a recipient.
///
/// The number, the sender's text, labels that name the number, and all fields but those that say what became of the
/// message. The messages stay, and all counts with them. What comes later, such as a retry of Exotel's, is stored as
/// ever. May be asked again.
#[utoipa::path(
    post, path = "/recipients/erase", tag = "Operation",
    request_body(content = Erase, content_type = "application/json"),
    responses(
        (status = 200, description = "It is erased", body = ErasedView),
        (status = 413, description = "More than a number takes", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "No such JSON", body = ProblemBody, content_type = "application/problem+json"),
        Refusals,
    ),
)]
pub(super) async fn erase(
    State(state): State<AppState>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<ErasedView>, Problem> {
    let body =
        body.map_err(|_| Problem::new(ProblemKind::BodyTooLarge, "the body is larger than any number"))?;
    let erase: Erase = serde_json::from_slice(&body).map_err(|error| {
        let detail =
            format!("the body must be {{\"recipient\": \"…\"}}, with an \"account\" if need be: {error}");
        Problem::new(ProblemKind::MalformedBody, detail)
    })?;
    let mut done = ErasedView::default();
    for erasure in erasures(&state, &erase)? {
        erase_one(&state, &erasure, &mut done).await?;
    }
    if let Some(spool) = &state.spool {
        done.spooled = spool.count().await.map_err(|error| spool_fails(&error))?;
        done.set_aside_files = spool.set_aside().len() as u64;
    }
    let ErasedView { messages, receipts, rejected, quarantined, spooled, set_aside_files } = done;
    tracing::info!(messages, receipts, rejected, quarantined, spooled, set_aside_files, "erased a recipient");
    Ok(Json(done))
}

/// The number may be one of several countries, as the accounts are.
fn erasures(state: &AppState, erase: &Erase) -> Result<Vec<Erasure>, Problem> {
    let account = erase.account.as_deref().map(|name| AccountName::new(&name.to_ascii_lowercase()));
    let account = account.transpose().map_err(|error| Problem::parameter("account", error))?;
    let mut numbers: Vec<ForgottenNumber> = Vec::new();
    for known in state.accounts_among(account.as_slice()) {
        let number = ForgottenNumber::read(&erase.recipient, known.country);
        numbers.extend(number.filter(|number| !numbers.contains(number)));
    }
    if numbers.is_empty() {
        return Err(Problem::parameter("recipient", "must be a telephone number, such as +919812345670"));
    }
    Ok(numbers.into_iter().map(|number| Erasure { number, account: account.clone() }).collect())
}

/// Step by step, each of which gives way to callbacks.
async fn erase_one(state: &AppState, erasure: &Erasure, done: &mut ErasedView) -> Result<(), Problem> {
    loop {
        let erased = state.give_way(Box::pin(state.store.erase_messages(erasure))).await?;
        done.messages += erased.messages;
        done.receipts += erased.receipts;
        if erased.messages == 0 {
            break;
        }
    }
    let mut place = Some(0);
    while let Some(after) = place {
        let (rejected, next) = state.give_way(Box::pin(state.store.erase_rejected(erasure, after))).await?;
        done.rejected += rejected;
        place = next;
    }
    if let Some(spool) = &state.spool {
        done.quarantined += spool.erase_quarantined(erasure).await.map_err(|error| spool_fails(&error))?;
    }
    Ok(())
}

fn spool_fails(error: &SpoolError) -> Problem {
    tracing::error!(%error, "the spool cannot be searched for a recipient");
    Problem::new(ProblemKind::StoreUnavailable, "the spool cannot be read now; try again later")
}
