//! Connections that end since their client does not keep to HTTP.

use std::{
    error::Error,
    sync::{Mutex, PoisonError},
};

use super::{activity::Activity, log_limit::LogLimit};

/// What a client did, as far as the connection had to end for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ProtocolFault {
    /// The head of a request by HTTP/1 that cannot be read.
    Malformed,
    /// The head of a request by HTTP/1 that is larger than allowed.
    HeadTooLarge,
    /// Frames that HTTP/2 does not allow.
    Http2Protocol,
    /// More frames that ask for nothing than anybody needs: resets, pings, settings, continuations.
    Http2Flood,
}

impl ProtocolFault {
    pub const ALL: [Self; 4] = [Self::Malformed, Self::HeadTooLarge, Self::Http2Protocol, Self::Http2Flood];

    /// Its name as a label.
    pub fn name(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::HeadTooLarge => "head_too_large",
            Self::Http2Protocol => "http2_protocol",
            Self::Http2Flood => "http2_flood",
        }
    }

    /// The client's fault for which a connection ended. None where it only hung up, or had no fault.
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

/// The log of faults: one line a minute for each kind, so that a flood of them does not fill it. All are counted.
#[derive(Debug, Default)]
pub(super) struct FaultLog([Mutex<LogLimit>; ProtocolFault::ALL.len()]);

impl FaultLog {
    /// Writes that a connection ended for `fault`, if a line is due. hyper's words name the part of a request that
    /// cannot be read, and repeat nothing of it.
    pub fn write(&self, fault: ProtocolFault, error: &hyper::Error) {
        let mut log_limit = self.0[fault as usize].lock().unwrap_or_else(PoisonError::into_inner);
        if log_limit.allow() {
            tracing::info!(kind = fault.name(), %error, "a client does not keep to HTTP; further ones are only counted for a minute");
        }
    }
}
