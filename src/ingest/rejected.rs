//! Requests that are refused are kept all the same, with the reason.

use crate::{
    domain::{AccountName, Time},
    exotel::{CallbackError, RawRequest},
    storage::{Keep, RejectedBody, Store, StoreError},
};

/// The log of refused bodies. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct RejectedLog {
    pub store: Store,
    pub keep: Keep,
}

impl RejectedLog {
    /// Keeps `request`, and why it was refused.
    pub async fn append(
        &self,
        request: &RawRequest,
        (account, received_at): (&AccountName, Time),
        reason: &str,
    ) -> Result<(), StoreError> {
        let query;
        let (content_type, body) = match request {
            RawRequest::Post { content_type, body, .. } => (content_type.as_deref(), &body[..]),
            RawRequest::Get { .. } => {
                query = request.query_without_secrets();
                (None, query.as_bytes())
            }
        };
        let rejected = RejectedBody { received_at, account, content_type, reason, body };
        self.store.reject(&rejected, self.keep).await
    }
}

/// The reason as the log keeps it.
pub(super) fn reason(error: &CallbackError) -> String {
    match error {
        CallbackError::NotAStatusCallback { resembles: Some(other), .. } => {
            format!("{error}; it looks like {other}")
        }
        _ => error.to_string(),
    }
}
