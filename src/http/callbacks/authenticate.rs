//! Authenticates a callback: the account that its URL names, and what the account's guard says.

use axum::http::request::Parts;

use crate::{
    domain::Time,
    http::{
        AppState, Problem, ProblemKind,
        accounts::KnownAccount,
        auth::{CallbackHead, Caller, SignedFor},
    },
    ingest::ReadCallback,
};

/// The account that a callback URL names.
#[derive(Clone, Copy)]
pub(super) struct Callee<'s> {
    /// As the URL spells it.
    pub name: &'s str,
    /// None where no such account is configured.
    pub known: Option<&'s KnownAccount>,
}

/// A callback whose token or signature is right.
pub(super) struct Authenticated<'s> {
    pub account: &'s KnownAccount,
    /// The recipient that the URL was signed for, where only a signature authenticates it.
    pub signed_for: Option<SignedFor>,
}

impl<'s> Callee<'s> {
    /// The account of this name.
    pub fn find(state: &'s AppState, name: &'s str) -> Self {
        Self { name, known: state.accounts.find(name) }
    }
}

/// What a request shows of itself before its body is read.
pub(super) fn callback_head<'r>(
    state: &'r AppState,
    head: &'r Parts,
    token: Option<&'r str>,
) -> CallbackHead<'r> {
    let caller = Caller::of(&head.extensions, &head.headers, &state.access.trusted_proxies);
    CallbackHead { token, query: head.uri.query().unwrap_or_default(), headers: &head.headers, caller }
}

/// Checks address, token and signature. Failures count towards the caller's rate limit.
pub(super) fn authenticate<'s>(
    state: &AppState,
    callee: Callee<'s>,
    head: &CallbackHead,
    now: Time,
) -> Result<Authenticated<'s>, Problem> {
    let refuse = |problem| state.access.limits.refuse(&head.caller, problem);
    let Some(account) = callee.known else {
        // Takes as long as a wrong token, so that its time does not tell which accounts exist.
        let _ = state.accounts.unknown.guard.authenticate(head, callee.name, now);
        let detail = "the callback URL names an account that is not configured";
        return Err(refuse(Problem::new(ProblemKind::UnknownAccount, detail)));
    };
    let name = account.account.name.as_str();
    let signed_for = account.guard.authenticate(head, name, now).map_err(refuse)?;
    Ok(Authenticated { account, signed_for })
}

/// A signed URL is valid for one recipient, who is named in the body: checks it once the body is read. Returns the
/// recipient; none where the guard only reports that the callback is about another.
pub(super) fn check_recipient(
    state: &AppState,
    Authenticated { account, signed_for }: &Authenticated,
    caller: Caller,
    callback: &ReadCallback,
) -> Result<Option<String>, Problem> {
    let Some(signed_for) = signed_for else { return Ok(None) };
    let recipient = signed_for.check(callback.recipient(), &account.account);
    let checked = account.guard.check_recipient(recipient, caller);
    checked.map_err(|problem| state.access.limits.refuse(&caller, problem))
}
