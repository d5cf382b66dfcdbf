//! Accounts as configured: how their callbacks are authenticated, and the credentials for reading them through the
//! API that is compatible with Exotel's.
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
