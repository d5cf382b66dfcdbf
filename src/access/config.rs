//! The configuration of one account (`[accounts.NAME]`), as it is written.

use std::num::NonZeroU32;

use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::{Secret, StringList};
use crate::domain::{Account, Country};

/// `[accounts.NAME]`: one sender whose callbacks are accepted.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct AccountConfig {
    /// Tokens of the callback URL; several while they are rotated. None: no token is required.
    pub callback_tokens: StringList<Secret>,
    /// Secrets that sign callback URLs for one recipient. The first one signs; all of them verify.
    pub signing_secrets: StringList<Secret>,
    /// Networks, as CIDR ranges, that callbacks are accepted from; none: all.
    pub allow_from: StringList<String>,
    /// Whether callbacks that fail the check of `allow_from` or of the signature are accepted, counted and logged.
    pub report_only: bool,
    /// IANA name of the zone in which Exotel writes this account's zone-less times.
    pub time_zone: Tz,
    /// ISO 3166 code of the country of recipients that are written without a country code.
    pub country: Country,
    /// Exotel's account sid, as it stands in the URLs of its API; empty: the account's name.
    pub sid: String,
    /// The key for the API that is compatible with Exotel's; none: the account cannot be read through it.
    pub read_key: Option<Secret>,
    /// The token that belongs to the key.
    pub read_token: Option<Secret>,
    /// False: requests to that API are answered with Exotel's error for an inactive account.
    pub active: bool,
    /// The rate limit of that API, in requests per minute.
    pub read_limit_per_minute: NonZeroU32,
}

impl Default for AccountConfig {
    fn default() -> Self {
        Self {
            callback_tokens: StringList(Vec::new()),
            signing_secrets: StringList(Vec::new()),
            allow_from: StringList(Vec::new()),
            report_only: false,
            time_zone: Account::TIME_ZONE,
            country: Account::COUNTRY,
            sid: String::new(),
            read_key: None,
            read_token: None,
            active: true,
            read_limit_per_minute: NonZeroU32::new(200).expect("200 is not 0"),
        }
    }
}
