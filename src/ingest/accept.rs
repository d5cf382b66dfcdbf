//! One request: parse, normalise, commit. The caller may answer 200 once `accept` says so.

use std::sync::Arc;

use percent_encoding::percent_decode_str;

use crate::{
    domain::{Account, DeliveryReceipt, MessageSid, Reception, Source, StatusTable, Time},
    exotel::{self, CallbackError, ParsedCallback, RESERVED_QUERY_KEYS, RawRequest},
    storage::{Keep, RejectedBody, Store, StoreError},
};

/// The way of a callback into the store.
#[derive(Clone, Debug)]
pub struct Ingest {
    store: Store,
    table: Arc<StatusTable>,
    keep_rejected: Keep,
}

/// Why a callback was not recorded.
#[derive(Debug, thiserror::Error)]
pub enum IngestError {
    /// It is no status callback; its bytes and the reason are in the log of refused bodies.
    #[error(transparent)]
    Refused(CallbackError),
    /// The store could not take it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Ingest {
    /// A way into `store`, with the codes in force.
    #[must_use]
    pub fn new(store: Store, table: Arc<StatusTable>, keep_rejected: Keep) -> Self {
        Self { store, table, keep_rejected }
    }

    /// Records a callback. `Ok` means that it is on disk.
    ///
    /// # Errors
    /// [`IngestError::Refused`] where it is no status callback, which is then kept with the reason;
    /// [`IngestError::Store`] where nothing is known to be kept.
    pub async fn accept(
        &self,
        request: RawRequest<'_>,
        account: &Account,
        received_at: Time,
    ) -> Result<MessageSid, IngestError> {
        let parsed = match exotel::parse(request) {
            Ok(parsed) => parsed,
            Err(error) => return Err(self.refuse(request, account, received_at, error).await),
        };
        let ParsedCallback { callback, labels, anomalies } = parsed;
        let (table, source) = (&*self.table, Source::Callback);
        let reception = Reception { account, table, labels, anomalies, source, received_at };
        let receipt = DeliveryReceipt::normalise(callback, reception);
        self.store.record(std::slice::from_ref(&receipt)).await?;
        Ok(receipt.sid)
    }

    /// Keeps what was refused, and says why it was.
    async fn refuse(
        &self,
        request: RawRequest<'_>,
        account: &Account,
        received_at: Time,
        error: CallbackError,
    ) -> IngestError {
        let reason = match &error {
            CallbackError::NotAStatusCallback { resembles: Some(other), .. } => {
                format!("{error}; it looks like {other}")
            }
            _ => error.to_string(),
        };
        let without_secrets;
        let (content_type, body) = match request {
            RawRequest::Post { content_type, body, .. } => (content_type, body),
            RawRequest::Get { query } => {
                without_secrets = without_reserved(query);
                (None, without_secrets.as_bytes())
            }
        };
        let rejected =
            RejectedBody { received_at, account: &account.name, content_type, reason: &reason, body };
        match self.store.reject(&rejected, self.keep_rejected).await {
            Ok(()) => IngestError::Refused(error),
            Err(error) => error.into(),
        }
    }
}

/// A query string without the token and its like, however their names are encoded.
fn without_reserved(query: &str) -> String {
    let secret = |pair: &&str| {
        let key = pair.split('=').next().unwrap_or_default();
        let key = percent_decode_str(key).decode_utf8_lossy();
        RESERVED_QUERY_KEYS.contains(&&*key)
    };
    query.split('&').filter(|pair| !secret(pair)).collect::<Vec<_>>().join("&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kept_query_string_holds_no_secret() {
        assert_eq!(without_reserved("SmsSid=s1&token=t&%74oken=t&sig=x&tokens=y"), "SmsSid=s1&tokens=y");
    }
}
