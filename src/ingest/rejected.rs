//! The log of refused bodies: requests that are refused are kept all the same, with the reason.

use std::borrow::Cow;

use super::reader::Arrival;
use crate::{
    domain::{AccountName, DeliveryReceipt, Time},
    exotel::{CallbackError, RawRequest},
    storage::{Keep, RejectedBody, Store, StoreError},
};

/// The log of refused bodies. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct RejectedLog {
    pub store: Store,
    pub keep: Keep,
}

/// A request that is refused, and how it came.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rejection<'a> {
    pub raw: &'a RawRequest,
    pub account: &'a AccountName,
    pub received_at: Time,
}

impl<'a> Rejection<'a> {
    /// A request that is no status callback.
    pub fn of(Arrival { account, received_at, .. }: Arrival<'a>, raw: &'a RawRequest) -> Self {
        Self { raw, account: &account.name, received_at }
    }

    /// A request whose receipt the store refuses.
    pub fn of_receipt(receipt: &'a DeliveryReceipt, raw: &'a RawRequest) -> Self {
        Self { raw, account: &receipt.account, received_at: receipt.received_at }
    }
}

impl RejectedLog {
    /// Keeps a refused request and the reason.
    pub async fn append(&self, rejection: Rejection<'_>, reason: &str) -> Result<(), StoreError> {
        let Rejection { raw, account, received_at } = rejection;
        let (content_type, body) = match raw {
            RawRequest::Post { content_type, body, .. } => {
                (content_type.as_deref(), Cow::Borrowed(&body[..]))
            }
            RawRequest::Get { .. } => {
                (None, Cow::Owned(raw.query_without_secrets().into_owned().into_bytes()))
            }
        };
        let rejected = RejectedBody { received_at, account, content_type, reason, body: &body };
        self.store.reject(&rejected, self.keep).await
    }
}

/// Why a request is no callback, as the log keeps it.
pub(super) fn reason(error: &CallbackError) -> String {
    match error {
        CallbackError::NotAStatusCallback { resembles: Some(other), .. } => {
            format!("{error}; it looks like {other}")
        }
        _ => error.to_string(),
    }
}
