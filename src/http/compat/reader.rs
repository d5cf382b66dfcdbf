//! Whether a question in Exotel's way comes from somebody who may read the account.

use axum::http::HeaderMap;

use crate::{
    domain::Account,
    exotel::ApiError,
    http::{
        AppState,
        accounts::KnownAccount,
        auth::{AccountReader, Caller, basic_credentials, retry_after_s},
    },
};

/// An account that may be read now.
#[derive(Clone, Copy)]
pub(super) struct Authorised<'s> {
    pub account: &'s Account,
    reader: &'s AccountReader,
}

impl<'s> Authorised<'s> {
    /// The account's sid, as it is configured.
    pub fn account_sid(self) -> &'s str {
        &self.reader.sid
    }

    /// Counts a request.
    pub fn within_limit(self) -> Result<(), ApiError> {
        let limited = self.reader.limit.check();
        limited.map_err(|early| ApiError::TooManyRequests { retry_after_s: retry_after_s(&early) })
    }
}

/// The account of `sid`, if these credentials read it. Wrong ones are counted with those of all who ask.
pub(super) fn authenticate<'s>(
    state: &'s AppState,
    sid: &str,
    caller: &Caller,
    headers: &HeaderMap,
) -> Result<Authorised<'s>, ApiError> {
    let too_many = |retry_after_s| ApiError::TooManyRequests { retry_after_s };
    state.access.limits.count_question(caller).map_err(too_many)?;
    find(state, sid, headers).map_err(|error| match error {
        ApiError::Unauthorized | ApiError::CredentialsMissing | ApiError::MalformedCredentials => {
            state.access.limits.count_refusal(caller).map_or_else(too_many, |()| error)
        }
        error => error,
    })
}

fn find<'s>(state: &'s AppState, sid: &str, headers: &HeaderMap) -> Result<Authorised<'s>, ApiError> {
    let (key, token) = basic_credentials(headers).ok_or(ApiError::CredentialsMissing)?;
    if key.is_empty() || token.is_empty() {
        return Err(ApiError::CredentialsMissing);
    }
    if !key.iter().chain(&token).all(u8::is_ascii_alphanumeric) {
        return Err(ApiError::MalformedCredentials);
    }
    let readable = |known: &'s KnownAccount| {
        known.reader.as_ref().map(|reader| Authorised { account: &known.account, reader })
    };
    // Every account's credentials are compared, whichever are right; accounts may share theirs.
    let mut opened: Vec<Authorised<'s>> = state.accounts.iter().filter_map(readable).collect();
    opened.retain(|authorised| authorised.reader.credentials.match_pair(&key, &token));
    if opened.is_empty() {
        return Err(ApiError::Unauthorized);
    }
    let of_sid = opened.into_iter().find(|authorised| authorised.reader.sid.eq_ignore_ascii_case(sid));
    let authorised = of_sid.ok_or(ApiError::Forbidden)?;
    if authorised.reader.active { Ok(authorised) } else { Err(ApiError::AccountInactive) }
}
