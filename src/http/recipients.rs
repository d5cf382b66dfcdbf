//! Erases a recipient on request.

use std::time::Duration;

use axum::{
    Json,
    body::Bytes,
    extract::{State, rejection::BytesRejection},
};
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, timeout_at};
use utoipa::ToSchema;

use super::{
    AppState, Problem, ProblemKind,
    extract::read_json,
    openapi::shapes::{ProblemBody, Refusals},
};
use crate::{
    domain::{AccountName, Forgotten, Time},
    storage::{EraseError, Erased, ErasedRecipient, Erasure, RecipientErasing},
};

/// Whose data is erased.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Erase {
    /// The number, in any spelling; or, where Exotel wrote no number, what it wrote (`to_raw`), such as a masked one.
    #[schema(example = "+919812345670")]
    recipient: String,
    /// Only what this account's callbacks said.
    #[schema(nullable = false)]
    account: Option<String>,
}

/// What was erased.
#[derive(Serialize, ToSchema)]
#[schema(as = Erased)]
pub(super) struct ErasedView {
    /// Messages that have lost their recipient and the sender's text.
    messages: u64,
    /// Their receipts, of which only what became of the message is left.
    receipts: u64,
    /// Refused bodies that named the recipient, and are deleted.
    rejected: u64,
    /// Spooled callbacks that could not be drained and named the recipient; they are deleted.
    quarantined: u64,
    /// Callbacks that wait in this replica's spool, whomever they are about. They bring back what they say: ask
    /// again once there are none.
    spooled: u64,
    /// Damaged files of this replica's spool that were set aside. They may name the recipient and are not reached:
    /// delete them once they are of no more use.
    set_aside_files: u64,
    /// When the erasing began: what had been stored by then is erased, what came later is not.
    #[schema(value_type = String, format = DateTime)]
    until: Time,
    /// Whether all of it is erased. If not, there was more than there was time for: ask again, and the rest is
    /// erased.
    complete: bool,
}

/// How long an erasure may take. Then the answer reports what is done, while the client still waits for it.
const LONGEST: Duration = Duration::from_secs(8);

/// Erases a recipient.
///
/// The number, the sender's text, labels that name the number, and all fields but those that say what became of the
/// message. The messages stay, and all counts with them. What is stored when it begins (`until`) is erased; what comes
/// later, such as a retry of Exotel's, is stored as ever. Ends within ten seconds: where that is not enough, `complete`
/// is false, and the rest is erased when it is asked again. May be asked again at any time.
///
/// A number is found wherever its digits stand as the recipient, also where they were not understood when they came.
/// What is no number, such as `0XXXXX30240`, is erased where it stands to the letter.
#[utoipa::path(
    post, path = "/recipients/erase", tag = "Operation",
    request_body(content = Erase, content_type = "application/json"),
    responses(
        (status = 200, description = "It is erased, or a part of it, as `complete` says", body = ErasedView),
        (status = 413, description = "More than a number takes", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "No such JSON", body = ProblemBody, content_type = "application/problem+json"),
        Refusals,
    ),
)]
pub(super) async fn erase(
    State(state): State<AppState>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<ErasedView>, Problem> {
    let (until, deadline) = (state.clock.now(), Instant::now() + LONGEST);
    let body =
        body.map_err(|_| Problem::new(ProblemKind::BodyTooLarge, "the body is larger than any number"))?;
    let erase: Erase = read_json(&body, "{\"recipient\": \"…\"}, with an \"account\" if need be")?;
    let wanted = erasures(&state, &erase)?;
    let mut erasing =
        RecipientErasing::new(state.questions.store.clone(), state.operation.spool.clone(), wanted);
    let all = async {
        while state.questions.pace_step(Box::pin(erasing.step())).await? {}
        Ok(())
    };
    let complete = match timeout_at(deadline, all).await {
        Ok(erased) => erased.map(|()| true).map_err(problem)?,
        Err(_) => false,
    };
    let (spooled, set_aside_files) = match &state.operation.spool {
        Some(spool) => {
            let spooled = spool.count().await.map_err(|error| problem(error.into()))?;
            (spooled, spool.set_aside().len() as u64)
        }
        None => (0, 0),
    };
    let ErasedRecipient { stored: Erased { messages, receipts, rejected }, quarantined } = erasing.erased();
    tracing::info!(messages, receipts, rejected, quarantined, spooled, complete, "erased a recipient");
    Ok(Json(ErasedView {
        messages,
        receipts,
        rejected,
        quarantined,
        spooled,
        set_aside_files,
        until,
        complete,
    }))
}

/// One erasure for each number that the recipient may be: accounts may be in several countries.
fn erasures(state: &AppState, erase: &Erase) -> Result<Vec<Erasure>, Problem> {
    let account = erase.account.as_deref().map(|name| AccountName::new(&name.to_ascii_lowercase()));
    let account = account.transpose().map_err(|error| Problem::parameter("account", error))?;
    let mut recipients: Vec<Forgotten> = Vec::new();
    for known in state.accounts.settings_among(account.as_slice()) {
        let number = Forgotten::number(&erase.recipient, known.country);
        recipients.extend(number.filter(|number| !recipients.contains(number)));
    }
    if recipients.is_empty() {
        recipients.extend(Forgotten::text(&erase.recipient));
    }
    if recipients.is_empty() {
        let fault = "must be a telephone number, such as +919812345670, or what stands in its place, as `to_raw` says it";
        return Err(Problem::parameter("recipient", fault));
    }
    Ok(recipients.into_iter().map(|recipient| Erasure { recipient, account: account.clone() }).collect())
}

fn problem(error: EraseError) -> Problem {
    match error {
        EraseError::Store(error) => error.into(),
        EraseError::Spool(error) => {
            tracing::error!(%error, "the spool cannot be searched for a recipient");
            Problem::new(ProblemKind::StoreUnavailable, "the spool cannot be read now; try again later")
        }
    }
}
