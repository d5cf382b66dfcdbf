//! `[http]`, `[auth]` and `[limits]`.

use std::{
    net::SocketAddr,
    num::{NonZeroU16, NonZeroU32, NonZeroU64},
};

use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

use super::ApiKeyList;
use crate::{
    access::{BadNetwork, Networks, StringList},
    secret_url::SecretUrl,
};

/// `[http]`: where the service listens.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct HttpConfig {
    /// Address and port for callbacks, and for everything else unless `internal_bind` is set.
    pub bind: SocketAddr,
    /// Address and port for everything but callbacks; none: `bind` serves everything.
    #[serde(deserialize_with = "address_or_empty", serialize_with = "empty_or_address")]
    pub internal_bind: Option<SocketAddr>,
    /// The URL under which Exotel reaches `bind`, such as `https://dlr.example.com`; empty is `http://BIND`.
    pub public_url: SecretUrl,
    /// The proxies, as CIDR ranges, whose `X-Forwarded-For` is trusted; none: no proxy's.
    pub trusted_proxies: StringList<String>,
    /// How long a shutdown waits for requests that are under way, in milliseconds.
    pub shutdown_timeout_ms: u64,
    /// How long the head of a request may take, in milliseconds.
    pub header_timeout_ms: NonZeroU64,
    /// How long a request's body may take, in milliseconds, unless it keeps `body_min_rate`.
    pub body_timeout_ms: NonZeroU64,
    /// The minimum rate of a body that takes longer than `body_timeout_ms`, in bytes per second.
    pub body_min_rate: NonZeroU64,
    /// The idle timeout of a connection between requests, in milliseconds.
    pub idle_timeout_ms: NonZeroU64,
    /// How long a request other than a callback may take until its answer begins, in milliseconds.
    pub request_timeout_ms: NonZeroU64,
    /// The most connections of a listener.
    pub max_connections: NonZeroU32,
    /// The most headers of a request.
    pub max_headers: NonZeroU16,
    /// The largest head of a request, in bytes.
    pub max_header_bytes: u32,
}

/// Why `[http]` cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BadHttp {
    /// A timeout that is too long to be useful.
    #[error("http.{0} must be {longest} at most, which is one hour", longest = HttpConfig::LONGEST_MS)]
    TooLong(&'static str),
    /// More connections than a process can have.
    #[error("http.max_connections must be {} at most", HttpConfig::MOST_CONNECTIONS)]
    Connections,
    /// Too small for any request, or too large for many.
    #[error("http.max_header_bytes must be from {} to {}", HttpConfig::HEADER_BYTES.start(), HttpConfig::HEADER_BYTES.end())]
    HeaderBytes,
}

/// `[auth]`: who may ask questions.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AuthConfig {
    /// API keys; as soon as there is one, questions need one.
    pub keys: ApiKeyList,
    /// Accepts listening beyond loopback without tokens and keys.
    pub allow_insecure: bool,
}

/// `[limits]`: how often one caller may ask, and be refused, in a minute, where 0 sets no limit; and how many questions
/// may read much at once.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct LimitsConfig {
    /// Questions with one API key.
    pub questions_per_minute_per_key: u32,
    /// Questions from one address.
    pub questions_per_minute_per_address: u32,
    /// Callbacks and questions from one address whose authentication fails.
    pub refusals_per_minute_per_address: u32,
    /// Scans at once: questions that may read most of the messages.
    pub scans_at_once: NonZeroU32,
}

impl LimitsConfig {
    /// How many scans may run at once: at most half of the connections, so that one is always left for a small question.
    pub(super) fn scans_within(self, connections: u32) -> usize {
        let scans = self.scans_at_once.get().min(connections / 2).max(1);
        usize::try_from(scans).unwrap_or(usize::MAX)
    }

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

/// A listener that other machines can reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exposure {
    /// The address for callbacks is not a loopback address.
    pub callbacks: bool,
    /// The address for questions is not a loopback address.
    pub questions: bool,
}

impl HttpConfig {
    const LONGEST_MS: u64 = 60 * 60 * 1000;
    /// Each takes a file descriptor.
    const MOST_CONNECTIONS: u32 = 1 << 20;
    /// hyper reads 8 KiB at once.
    const HEADER_BYTES: std::ops::RangeInclusive<u32> = 8192..=1024 * 1024;

    /// The networks of the proxies whose `X-Forwarded-For` is believed.
    ///
    /// # Errors
    /// [`BadNetwork`] names a text that is none.
    pub fn trusted_proxies(&self) -> Result<Networks, BadNetwork> {
        Networks::read(&self.trusted_proxies.0)
    }

    /// Checks what the types allow.
    ///
    /// # Errors
    /// [`BadHttp`] says what to set.
    pub fn check(&self) -> Result<(), BadHttp> {
        let timeouts = [
            ("header_timeout_ms", self.header_timeout_ms),
            ("body_timeout_ms", self.body_timeout_ms),
            ("idle_timeout_ms", self.idle_timeout_ms),
            ("request_timeout_ms", self.request_timeout_ms),
        ];
        match timeouts.into_iter().find(|(_, timeout)| timeout.get() > Self::LONGEST_MS) {
            Some((key, _)) => Err(BadHttp::TooLong(key)),
            None if self.max_connections.get() > Self::MOST_CONNECTIONS => Err(BadHttp::Connections),
            None if !Self::HEADER_BYTES.contains(&self.max_header_bytes) => Err(BadHttp::HeaderBytes),
            None => Ok(()),
        }
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
