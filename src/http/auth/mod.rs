//! Who may call, and who may ask. Secrets are compared by their digests, in constant time.
//!
//! - `callback_guard.rs`: who may call an account, by
//! - `callback_tokens.rs`: a token,
//! - `signatures.rs`: a signature for one recipient,
//! - `client_address.rs`: and where it comes from,
//! - `reports.rs`: or what is let in all the same
//! - `api_keys.rs`: who may ask
//! - `read_credentials.rs`: who may ask in Exotel's way
//! - `limits.rs`: how often
//! - `described.rs`: what the API's description says of callback URLs
//!
//! May import what `http` may.

mod api_keys;
mod callback_guard;
mod callback_tokens;
mod client_address;
mod credentials;
mod described;
mod limits;
mod read_credentials;
mod reports;
mod signatures;

use self::callback_tokens::CallbackTokens;
pub(super) use self::{
    api_keys::{ApiKeys, require},
    callback_guard::{Call, CallbackGuard},
    client_address::Caller,
    credentials::basic_credentials,
    described::UrlParams,
    limits::{Limits, retry_after_s},
    read_credentials::ReadCredentials,
    signatures::SignedFor,
};
