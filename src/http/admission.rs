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

/// A signed URL is valid for one recipient, who is named in the body: check it once the body is read. The body is
/// parsed twice for that, so that callbacks without a signature pay nothing. Returns the recipient that the URL is
/// signed for; none where only reporting has let the callback in, as it lets in those without any signature.
pub(super) fn admit_for(
    state: &AppState,
    known: &KnownAccount,
    signed_for: &SignedFor,
    (raw, caller): (&RawRequest, Caller),
) -> Result<Option<String>, Problem> {
    // What is no callback is refused for that, and kept.
    let Ok(parsed) = exotel::parse(raw) else { return Ok(None) };
    let said = parsed.callback.get(Field::To);
    let admitted = known.guard.admit_for(signed_for, said, (&known.account, caller));
    admitted.map_err(|problem| state.limits.refuse(&caller, problem))
}

/// Account names are lower case; a URL may have been typed otherwise.
pub(super) fn find<'s>(state: &'s AppState, account: &str) -> Option<&'s KnownAccount> {
    let known = state.accounts.get(account);
    known.or_else(|| state.accounts.get(account.to_ascii_lowercase().as_str()))
}
