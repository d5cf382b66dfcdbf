//! `GET /v1/Accounts/{account sid}/SMS/Messages/{sid}[.json]`: what became of one SMS.

use axum::response::Response;

use super::{failed, reader::Authorised, written};
use crate::{
    domain::{Message, Time},
    exotel::{AnswerFormat, ApiError, Said, SmsMessage, Telling},
    http::AppState,
    storage::PageRequest,
};

/// How many receipts of a message are read at once.
const RECEIPTS: u16 = 500;

/// Answers what became of a message.
pub(super) async fn details(
    state: &AppState,
    reader: Authorised<'_>,
    resource: &[String],
    format: AnswerFormat,
) -> Result<Response, ApiError> {
    let sid = message_sid(resource)?;
    reader.within_limit()?;
    let message = find(state, reader, sid).await?;
    let (texts, updated) = callbacks(state, reader, &message).await?;
    let telling = Telling { account_sid: reader.account_sid(), zone: reader.account.time_zone, format };
    let answer = SmsMessage::of(&message, texts, updated, telling);
    Ok(written(format, answer.write()))
}

/// The sid that a URL asks for.
fn message_sid(resource: &[String]) -> Result<&str, ApiError> {
    match resource {
        [sms, rest @ ..] if sms.eq_ignore_ascii_case("sms") => match rest {
            [] => Err(ApiError::ResourceMissing),
            [messages, sid] if messages.eq_ignore_ascii_case("messages") && !sid.is_empty() => Ok(sid),
            _ => Err(ApiError::UnrecognisedPath),
        },
        _ => Err(ApiError::Forbidden),
    }
}

async fn find(state: &AppState, reader: Authorised<'_>, sid: &str) -> Result<Message<'static>, ApiError> {
    // Postgres knows no NUL.
    if sid.contains('\0') {
        return Err(ApiError::NoMatchingResults);
    }
    let messages = state.questions.store.messages(sid).await.map_err(failed)?;
    let own = |message: &Message<'_>| *message.account == reader.account.name;
    messages.into_iter().find(own).ok_or(ApiError::NoMatchingResults)
}

/// What the callbacks of a message said, and when it was last changed: a callback says so itself, or was
/// received then.
async fn callbacks(
    state: &AppState,
    reader: Authorised<'_>,
    message: &Message<'_>,
) -> Result<(Said, Time), ApiError> {
    let (sid, account) = (message.sid.as_str(), reader.account);
    let (mut texts, mut updated) = (Said::default(), None);
    let mut after = None;
    loop {
        let page = PageRequest { limit: RECEIPTS, after };
        let page = state.questions.store.receipts(sid, &account.name, page).await.map_err(failed)?;
        for stored in &page.items {
            if !message.admits(stored.signed_for.as_deref()) {
                continue;
            }
            let receipt = stored.normalise(account, &state.table).map_err(failed)?;
            updated = updated.max(receipt.updated_at.or(Some(receipt.received_at)));
            texts.take_in(&receipt.fields);
        }
        after = page.next;
        if after.is_none() {
            return Ok((texts, updated.unwrap_or(message.last_received_at)));
        }
    }
}
