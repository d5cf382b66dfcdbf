//! Accounts as they are configured: who may call them, and who may read them in Exotel's way.
//!
//! May import `domain`.

mod account;
mod callers;
mod config;
mod network;
mod permit;
mod secret;

pub use account::{BadAccount, ConfiguredAccount, ReadAccess};
pub use callers::{BadCallers, Callers};
pub use config::AccountConfig;
pub use network::{BadNetwork, Networks};
pub use permit::Permit;
pub use secret::{Secret, StringList};
