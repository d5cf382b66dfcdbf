//! Connections that are closed because the client violates HTTP.

use std::{
    error::Error,
    sync::{Mutex, PoisonError},
};

use super::{activity::Activity, log_limit::LogLimit};

/// How a client violated HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ProtocolFault {
    /// An HTTP/1 head that cannot be parsed.
    Malformed,
    /// An HTTP/1 head that is larger than `http.max_header_bytes` or has more than `http.max_headers` fields.
    HeadTooLarge,
    /// Frames that HTTP/2 does not allow.
    Http2Protocol,
    /// A flood of frames that request nothing: resets, pings, settings, continuations.
    Http2Flood,
}

impl ProtocolFault {
    pub const ALL: [Self; 4] = [Self::Malformed, Self::HeadTooLarge, Self::Http2Protocol, Self::Http2Flood];

    /// The value of the metric's label `kind`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::HeadTooLarge => "head_too_large",
            Self::Http2Protocol => "http2_protocol",
            Self::Http2Flood => "http2_flood",
        }
    }

    /// The violation that an error of hyper's stands for; none where the client only disconnected.
    pub fn of(error: &hyper::Error, activity: &Activity) -> Option<Self> {
        if activity.is_flooded() {
            return Some(Self::Http2Flood);
        }
        if error.is_parse_too_large() {
            return Some(Self::HeadTooLarge);
        }
        if error.is_parse() {
            return Some(Self::Malformed);
        }
        let h2 = error.source()?.downcast_ref::<h2::Error>()?;
        match h2.reason()? {
            _ if !h2.is_library() => None,
            h2::Reason::ENHANCE_YOUR_CALM => Some(Self::Http2Flood),
            h2::Reason::NO_ERROR => None,
            _ => Some(Self::Http2Protocol),
        }
    }
}

/// Logs violations, at most one line a minute for each kind, so that a flood does not fill the log. The metric counts
/// all.
#[derive(Debug, Default)]
pub(super) struct FaultLog([Mutex<LogLimit>; ProtocolFault::ALL.len()]);

impl FaultLog {
    /// Logs that a connection was closed for `fault`, within the rate limit. hyper's error names the part of the
    /// request that cannot be parsed, but quotes nothing of it, so no personal data reaches the log.
    pub fn write(&self, fault: ProtocolFault, error: &hyper::Error) {
        let mut log_limit = self.0[fault as usize].lock().unwrap_or_else(PoisonError::into_inner);
        if log_limit.allow() {
            tracing::info!(kind = fault.name(), %error, "a client does not keep to HTTP; further ones are only counted for a minute");
        }
    }
}
