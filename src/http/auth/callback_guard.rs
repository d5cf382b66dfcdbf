//! Authenticates callbacks of an account: by address, token or signature.

use axum::http::HeaderMap;

use super::{
    CallbackTokens, Caller,
    refusal::Refusal,
    reports::Reports,
    signatures::{SignatureFault, Signatures, SignedFor},
};
use crate::{
    access::{Callers, Networks},
    domain::Time,
    http::Problem,
    telemetry::Metrics,
};

/// Guards an account's callback URL.
#[derive(Debug)]
pub(in crate::http) struct CallbackGuard {
    tokens: CallbackTokens,
    signatures: Signatures,
    allow_from: Networks,
    /// With `report_only`: what would be refused is reported, and taken.
    reports: Option<Reports>,
}

/// What a request shows of itself before its body is read.
pub(in crate::http) struct CallbackHead<'r> {
    /// The token in its path.
    pub token: Option<&'r str>,
    pub query: &'r str,
    pub headers: &'r HeaderMap,
    pub caller: Caller<'r>,
}

impl CallbackGuard {
    /// The guard of an account. Callbacks that are only reported are counted in `metrics`.
    pub fn new(callers: &Callers, account: &str, metrics: &Metrics) -> Self {
        Self {
            tokens: CallbackTokens::new(&callers.tokens),
            signatures: Signatures::new(&callers.signing_secrets),
            allow_from: callers.allow_from.clone(),
            reports: callers.report_only.then(|| Reports::new(account, metrics)),
        }
    }

    /// Guard for unknown account names: refuses everything, in the same time as a known one.
    pub fn of_nobody(metrics: &Metrics) -> Self {
        let secret = || vec!["nobody has this secret".into()];
        let callers = Callers { tokens: secret(), signing_secrets: secret(), ..Callers::default() };
        Self::new(&callers, "nobody", metrics)
    }

    /// Checks address, token and signature. Returns the recipient that the URL is signed for, where only a signature
    /// authenticates the callback.
    pub fn authenticate(
        &self,
        head: &CallbackHead,
        name: &str,
        now: Time,
    ) -> Result<Option<SignedFor>, Problem> {
        self.check_address(head)?;
        if self.tokens.open_for(head.token, head.query, head.headers) {
            return Ok(None);
        }
        let needs_token = !self.tokens.is_empty();
        if self.signatures.is_empty() {
            return if needs_token { Err(Refusal::Token.into()) } else { Ok(None) };
        }
        match self.signatures.check(name, head.query, now) {
            Ok(signed_for) => Ok(Some(signed_for)),
            // `report_only` must not open a URL that needs a token. An expired signature was valid once.
            Err(SignatureFault::Unsigned) if needs_token => Err(Refusal::Token.into()),
            Err(fault @ SignatureFault::Forged) if needs_token => Err(Refusal::Signature(fault).into()),
            Err(fault) => self.refuse(Refusal::Signature(fault), head.caller).map(|()| None),
        }
    }

    /// What follows from the check of a signed URL's recipient: the recipient, or none where a wrong one is only
    /// reported.
    pub fn check_recipient(
        &self,
        recipient: Result<String, SignatureFault>,
        caller: Caller,
    ) -> Result<Option<String>, Problem> {
        match recipient {
            Ok(recipient) => Ok(Some(recipient)),
            Err(fault) => self.refuse(Refusal::Signature(fault), caller).map(|()| None),
        }
    }

    fn check_address(&self, head: &CallbackHead) -> Result<(), Problem> {
        let allowed = |address| self.allow_from.contain(address);
        if self.allow_from.is_empty() || head.caller.address().is_some_and(allowed) {
            return Ok(());
        }
        self.refuse(Refusal::Address, head.caller)
    }

    /// Refuses a callback; with `report_only` it reports that it would be refused.
    fn refuse(&self, refusal: Refusal, caller: Caller) -> Result<(), Problem> {
        let reports = self.reports.as_ref().ok_or_else(|| Problem::from(refusal))?;
        reports.report(refusal, caller);
        Ok(())
    }
}
