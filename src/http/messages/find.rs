//! The message that a question is about.

use std::borrow::Cow;

use crate::{
    domain::Message,
    http::{Problem, ProblemKind},
    storage::Store,
};

/// The message of a sid. Several accounts have the same sid only where a callback URL was mixed up.
pub(super) async fn find(
    store: &Store,
    sid: &str,
    account: Option<&str>,
) -> Result<Message<'static>, Problem> {
    let storable = !sid.contains('\0');
    let mut messages = if storable { store.messages(sid).await? } else { Vec::new() };
    if let Some(account) = account {
        messages.retain(|message| message.account.as_str().eq_ignore_ascii_case(account));
    }
    if messages.len() > 1 {
        let accounts: Vec<Cow<'_, str>> = messages.iter().map(|m| m.account.as_str().into()).collect();
        return Err(
            Problem::new(ProblemKind::AmbiguousSid, "say which with `?account=`").with("accounts", accounts)
        );
    }
    messages
        .pop()
        .ok_or_else(|| Problem::new(ProblemKind::UnknownSid, "no receipt has come for a message of this sid"))
}
