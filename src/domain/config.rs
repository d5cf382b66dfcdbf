//! The configuration of one account (`[accounts.NAME]`).

use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::{Country, Secret, StringList};

/// `[accounts.NAME]`: one sender whose callbacks are taken.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct AccountConfig {
    /// Tokens that open the callback URL; several at once while they are rotated. None: no token is asked for.
    pub callback_tokens: StringList<Secret>,
    /// IANA name of the zone in which Exotel writes this account's zone-less times.
    pub time_zone: Tz,
    /// ISO 3166 code of the country of recipients that are written without a country code.
    pub country: Country,
}

impl Default for AccountConfig {
    fn default() -> Self {
        Self {
            callback_tokens: StringList(Vec::new()),
            time_zone: Tz::Asia__Kolkata,
            country: Country::INDIA,
        }
    }
}
