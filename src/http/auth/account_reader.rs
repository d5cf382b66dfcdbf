//! The credentials of an account's readers in Exotel's way, and their rate limit.

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};

use super::ReadCredentials;
use crate::access::ReadAccess;

/// The readers of an account in Exotel's way.
#[derive(Debug)]
pub(in crate::http) struct AccountReader {
    pub sid: String,
    pub credentials: ReadCredentials,
    pub active: bool,
    pub limit: DefaultDirectRateLimiter,
}

impl AccountReader {
    pub fn new(access: &ReadAccess) -> Self {
        Self {
            sid: access.sid.clone(),
            credentials: ReadCredentials::new(&access.key, &access.token),
            active: access.active,
            limit: RateLimiter::direct(Quota::per_minute(access.limit_per_minute)),
        }
    }
}
