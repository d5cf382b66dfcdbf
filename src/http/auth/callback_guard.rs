//! Who may call an account: from where, and with which token or signature.

use axum::http::HeaderMap;

use super::{
    CallbackTokens, Caller,
    refusal::Refusal,
    reports::Reports,
    signatures::{Fault, Signatures, SignedFor},
};
use crate::{
    access::{Callers, Networks},
    domain::{Account, Time},
    http::Problem,
    telemetry::Metrics,
};

/// What guards an account's callback URL.
#[derive(Debug)]
pub(in crate::http) struct CallbackGuard {
    tokens: CallbackTokens,
    signatures: Signatures,
    allow_from: Networks,
    /// What would be refused is reported, and let in.
    reports: Option<Reports>,
}

/// What a request shows of itself before its body is read.
pub(in crate::http) struct Call<'r> {
    /// The token of its path.
    pub token: Option<&'r str>,
    pub query: &'r str,
    pub headers: &'r HeaderMap,
    pub caller: Caller<'r>,
}

impl CallbackGuard {
    /// That of an account; what is only reported is counted in `metrics`.
    pub fn new(callers: &Callers, account: &str, metrics: &Metrics) -> Self {
        Self {
            tokens: CallbackTokens::new(&callers.tokens),
            signatures: Signatures::new(&callers.signing_secrets),
            allow_from: callers.allow_from.clone(),
            reports: callers.report_only.then(|| Reports::new(account, metrics)),
        }
    }

    /// One that lets nobody in, and takes as long over it as another: for accounts that are none.
    pub fn of_nobody(metrics: &Metrics) -> Self {
        let secret = || vec!["nobody has this secret".into()];
        let callers = Callers { tokens: secret(), signing_secrets: secret(), ..Callers::default() };
        Self::new(&callers, "nobody", metrics)
    }

    /// Lets a callback in, for one recipient alone where only a signature says that it may.
    pub fn admit(&self, call: &Call, name: &str, now: Time) -> Result<Option<SignedFor>, Problem> {
        self.admit_from(call)?;
        if self.tokens.admit(call.token, call.query, call.headers) {
            return Ok(None);
        }
        let needs_token = !self.tokens.is_empty();
        if self.signatures.is_empty() {
            return if needs_token { Err(Refusal::Token.into()) } else { Ok(None) };
        }
        match self.signatures.check(name, call.query, now) {
            Ok(signed_for) => Ok(Some(signed_for)),
            // Reporting alone must not open what a token closes. What has expired was signed, once.
            Err(Fault::Unsigned) if needs_token => Err(Refusal::Token.into()),
            Err(fault @ Fault::Forged) if needs_token => Err(Refusal::Signature(fault).into()),
            Err(fault) => self.refuse(Refusal::Signature(fault), call.caller).map(|()| None),
        }
    }

    /// Lets a callback in whose URL was signed, if it is about the right recipient. Returns that recipient, where the
    /// callback is about it.
    pub fn admit_for(
        &self,
        signed_for: &SignedFor,
        said: Option<&str>,
        (account, caller): (&Account, Caller),
    ) -> Result<Option<String>, Problem> {
        match signed_for.check(said, account) {
            Ok(number) => Ok(Some(number)),
            Err(fault) => self.refuse(Refusal::Signature(fault), caller).map(|()| None),
        }
    }

    fn admit_from(&self, call: &Call) -> Result<(), Problem> {
        let allowed = |address| self.allow_from.contain(address);
        if self.allow_from.is_empty() || call.caller.address().is_some_and(allowed) {
            return Ok(());
        }
        self.refuse(Refusal::Address, call.caller)
    }

    /// Refuses, or reports that it would.
    fn refuse(&self, refusal: Refusal, caller: Caller) -> Result<(), Problem> {
        let reports = self.reports.as_ref().ok_or_else(|| Problem::from(refusal))?;
        reports.report(refusal, caller);
        Ok(())
    }
}
