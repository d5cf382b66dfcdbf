//! Who may call, and who may ask. Secrets are compared by their digests, in constant time.
//!
//! - `callback_guard.rs`: who may call an account, by
//! - `callback_tokens.rs`: a token,
//! - `signatures.rs`: a signature for one recipient,
//! - `client_address.rs`: and where it comes from,
//! - `refusal.rs`: why it is refused,
//! - `reports.rs`: or what is let in all the same
//! - `require.rs`: who may ask, by
//! - `api_keys.rs`: a key and its scopes
//! - `account_reader.rs`: who may ask in Exotel's way, and how often, by
//! - `read_credentials.rs`: a key and a token
//! - `limits.rs`: how often
//! - `described.rs`: what the API's description says of callback URLs
//!
//! May import what `http` may.

mod account_reader;
mod api_keys;
mod callback_guard;
mod callback_tokens;
mod client_address;
mod credentials;
mod described;
mod limits;
mod read_credentials;
mod refusal;
mod reports;
mod require;
mod signatures;

pub(super) use self::{
    account_reader::AccountReader,
    api_keys::ApiKeys,
    callback_guard::{CallbackGuard, CallbackHead},
    client_address::Caller,
    credentials::basic_credentials,
    described::UrlParams,
    limits::{RateLimits, retry_after_s},
    require::{Required, require},
    signatures::SignedFor,
};
use self::{callback_tokens::CallbackTokens, read_credentials::ReadCredentials};
