//! `[http]`, `[auth]` and `[limits]`.

use std::{net::SocketAddr, num::NonZeroU32};

use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

use super::ApiKeyList;
use crate::domain::{BadNetwork, Networks, StringList};

/// `[http]`: where the service listens.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct HttpConfig {
    /// Address and port for callbacks, and for everything else unless `internal_bind` is set.
    pub bind: SocketAddr,
    /// Address and port for everything but callbacks; none is the same listener.
    #[serde(deserialize_with = "address_or_empty", serialize_with = "empty_or_address")]
    pub internal_bind: Option<SocketAddr>,
    /// The URL under which Exotel reaches `bind`, such as `https://dlr.example.com`; empty is `http://BIND`.
    pub public_url: String,
    /// The proxies, as CIDR ranges, whose `X-Forwarded-For` is believed; none: no one's.
    pub trusted_proxies: StringList<String>,
    /// How long a shutdown waits for requests that are under way, in milliseconds.
    pub shutdown_timeout_ms: u64,
}

/// `[auth]`: who may ask.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AuthConfig {
    /// API keys; as soon as there is one, questions need one.
    pub keys: ApiKeyList,
    /// Accepts listening beyond loopback without tokens and keys.
    pub allow_insecure: bool,
}

/// `[limits]`: how often one caller may ask, and be refused, in a minute; 0 sets no limit.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct LimitsConfig {
    /// Questions with one API key.
    pub questions_per_minute_per_key: u32,
    /// Questions from one address.
    pub questions_per_minute_per_address: u32,
    /// Callbacks and questions from one address that are refused for who sends them.
    pub refusals_per_minute_per_address: u32,
}

impl LimitsConfig {
    /// Questions with one API key; none: no limit.
    pub(super) fn questions_per_key(self) -> Option<NonZeroU32> {
        NonZeroU32::new(self.questions_per_minute_per_key)
    }

    /// Questions from one address; none: no limit.
    pub(super) fn questions_per_address(self) -> Option<NonZeroU32> {
        NonZeroU32::new(self.questions_per_minute_per_address)
    }

    /// Refusals of one address; none: no limit.
    pub(super) fn refusals_per_address(self) -> Option<NonZeroU32> {
        NonZeroU32::new(self.refusals_per_minute_per_address)
    }
}

/// What a configuration lays open beyond this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exposure {
    /// The address that callbacks come to is not a loopback.
    pub callbacks: bool,
    /// The address that questions come to is not a loopback.
    pub questions: bool,
}

impl HttpConfig {
    /// The networks of the proxies whose `X-Forwarded-For` is believed.
    ///
    /// # Errors
    /// [`BadNetwork`] names a text that is none.
    pub fn trusted_proxies(&self) -> Result<Networks, BadNetwork> {
        Networks::read(&self.trusted_proxies.0)
    }

    /// Which of the two listeners can be reached from elsewhere.
    #[must_use]
    pub fn exposure(&self) -> Exposure {
        let beyond = |address: SocketAddr| !address.ip().to_canonical().is_loopback();
        Exposure { callbacks: beyond(self.bind), questions: beyond(self.internal_bind.unwrap_or(self.bind)) }
    }
}

fn address_or_empty<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SocketAddr>, D::Error> {
    match String::deserialize(deserializer)?.trim() {
        "" => Ok(None),
        text => text.parse().map(Some).map_err(D::Error::custom),
    }
}

#[expect(clippy::ref_option, reason = "serde asks for this signature")]
fn empty_or_address<S: serde::Serializer>(
    address: &Option<SocketAddr>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&address.map(|a| a.to_string()).unwrap_or_default())
}
