//! Who may call, and who may ask. Secrets are compared by their digests, in constant time.
//!
//! - `callback_tokens.rs`: what opens a callback URL
//! - `api_keys.rs`: what opens the questions
//! - `read_credentials.rs`: what opens an account to those who ask in Exotel's way
//!
//! May import what `http` may.

mod api_keys;
mod callback_tokens;
mod credentials;
mod read_credentials;

pub(super) use self::{
    api_keys::{ApiKeys, require_read},
    callback_tokens::CallbackTokens,
    credentials::basic_credentials,
    read_credentials::ReadCredentials,
};
