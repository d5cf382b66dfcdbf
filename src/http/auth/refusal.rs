//! Why a callback is not let in.

use super::signatures::SignatureFault;
use crate::http::{Problem, ProblemKind};

/// Why a callback is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Refusal {
    /// It comes from elsewhere.
    Address,
    /// It has no good token.
    Token,
    /// Its URL is not well signed.
    Signature(SignatureFault),
}

impl Refusal {
    /// Which guard refuses, and why.
    pub fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Address => ("allow_from", "address"),
            Self::Token => ("callback_tokens", "token"),
            Self::Signature(fault) => ("signing_secrets", fault.into()),
        }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        Self::unauthorized(match refusal {
            Refusal::Address => {
                return Self::of_unauthorized(
                    ProblemKind::AddressNotAllowed,
                    "the account does not take callbacks from this address",
                );
            }
            Refusal::Token => "the callback URL needs one of the account's tokens",
            Refusal::Signature(SignatureFault::Unsigned) => "the callback URL has to be signed",
            Refusal::Signature(SignatureFault::Forged) => {
                "the signature of the callback URL is not good for what it says"
            }
            Refusal::Signature(SignatureFault::Expired) => "the time of the signed callback URL is over",
            Refusal::Signature(SignatureFault::OtherRecipient) => {
                "the callback URL is signed for another recipient"
            }
        })
    }
}
