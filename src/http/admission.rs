//! Who may call: the account that a callback names, and whether its guard lets the callback in.

use axum::http::request::Parts;

use super::{
    AppState, Problem, ProblemKind,
    auth::{Call, Caller, SignedFor},
    state::KnownAccount,
};
use crate::{
    domain::{Field, Time},
    exotel::{self, RawRequest},
};

/// What a request shows of itself before its body is read.
pub(super) fn call<'r>(state: &'r AppState, head: &'r Parts, token: Option<&'r str>) -> Call<'r> {
    let caller = Caller::of(&head.extensions, &head.headers, &state.trusted_proxies);
    Call { token, query: head.uri.query().unwrap_or_default(), headers: &head.headers, caller }
}

/// The account that is called, if this call may; whom the call is signed for, if that is why it may.
pub(super) fn admit<'s>(
    state: &AppState,
    (account, known): (&str, Option<&'s KnownAccount>),
    call: &Call,
    now: Time,
) -> Result<(&'s KnownAccount, Option<SignedFor>), Problem> {
    let refuse = |problem| state.limits.refuse(&call.caller, problem);
    let Some(known) = known else {
        // An account that is none takes as long as a token that is none.
        let _ = state.nobody.admit(call, account, now);
        let detail = "the callback URL names an account that is not configured";
        return Err(refuse(Problem::new(ProblemKind::UnknownAccount, detail)));
    };
    let signed_for = known.guard.admit(call, known.account.name.as_str(), now).map_err(refuse)?;
    Ok((known, signed_for))
}

/// Holds a call to the recipient that it is signed for; only now it is known whom it is about. It is read
/// twice for that, so that all others need not carry a recipient to where they are read.
pub(super) fn admit_for(
    state: &AppState,
    known: &KnownAccount,
    signed_for: &SignedFor,
    (raw, caller): (&RawRequest, Caller),
) -> Result<(), Problem> {
    // What is no callback is refused for that, and kept.
    let Ok(parsed) = exotel::parse(raw) else { return Ok(()) };
    let said = parsed.callback.get(Field::To);
    let admitted = known.guard.admit_for(signed_for, said, (&known.account, caller));
    admitted.map_err(|problem| state.limits.refuse(&caller, problem))
}

/// Account names are lower case; a URL may have been typed otherwise.
pub(super) fn find<'s>(state: &'s AppState, account: &str) -> Option<&'s KnownAccount> {
    let known = state.accounts.get(account);
    known.or_else(|| state.accounts.get(account.to_ascii_lowercase().as_str()))
}
