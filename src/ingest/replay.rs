//! Replays requests that were kept earlier: they are read and committed as if they came now, but for their time. The
//! drain replays what was spooled; an import replays a file.

use super::{
    commit::{Committer, Failed, Uncommitted},
    reader::{Arrival, Reader},
    recorder::Recorder,
    rejected::{Rejection, reason},
    spooled::unspooled,
};
use crate::{
    exotel::RawRequest,
    storage::{Failure, SpooledRequest, StoreError, Undrainable},
};

/// Replays requests into the store.
pub(super) struct Replay<R> {
    pub reader: Reader,
    pub committer: Committer<R>,
}

/// A request that is no status callback, on its way into the log of refused bodies.
struct Refused<'a> {
    id: i64,
    raw: RawRequest,
    arrival: Arrival<'a>,
    reason: String,
}

impl<R: Recorder> Replay<R> {
    /// Brings requests into the store, and those that are no callbacks into the log of refused bodies. `Ok` means that
    /// all are there, but for those that are returned, which will never get there.
    ///
    /// # Errors
    /// [`StoreError`] where the store fails. Some may be in the store; all may be replayed again.
    pub async fn run(&mut self, requests: &[SpooledRequest]) -> Result<Vec<Undrainable>, StoreError> {
        let (mut undrainable, mut batch, mut refused) = (Vec::new(), Vec::new(), Vec::new());
        for request in requests {
            let (id, raw) = (request.id, unspooled(request));
            match arrival(request, &self.reader) {
                Err(reason) => undrainable.push(Undrainable { id, reason }),
                Ok(arrival) => match self.reader.read(&raw, arrival) {
                    Ok(receipt) => batch.push(Uncommitted { receipt, raw, ticket: id }),
                    Err(error) => refused.push(Refused { id, raw, arrival, reason: reason(&error) }),
                },
            }
        }
        // The receipts first: where the store fails, this shows it before anything is kept twice.
        undrainable.extend(commit(&mut self.committer, batch).await?);
        undrainable.extend(reject(&mut self.committer.recorder, refused).await?);
        Ok(undrainable)
    }
}

/// How a request came; the reason where this configuration, or this version, does not know.
fn arrival<'a>(request: &'a SpooledRequest, reader: &'a Reader) -> Result<Arrival<'a>, String> {
    let SpooledRequest { account: name, source, received_at, signed_for, .. } = request;
    let account = reader.accounts.get(name.as_str());
    let account = account.ok_or_else(|| format!("the account `{name}` is not configured"))?;
    let source = source.parse().map_err(|_| format!("its source `{source}` is of a later version"))?;
    Ok(Arrival { account, source, received_at: *received_at, signed_for: signed_for.as_deref() })
}

/// Commits a batch. Returns those that neither the store nor the log of refused bodies takes.
async fn commit<R: Recorder>(
    committer: &mut Committer<R>,
    mut batch: Vec<Uncommitted<i64>>,
) -> Result<Vec<Undrainable>, StoreError> {
    let mut undrainable = Vec::new();
    while let Some(Failed { error, mut rest }) = committer.commit(batch).await.failed {
        if error.failure() != Failure::Poison {
            return Err(error);
        }
        undrainable.push(Undrainable { id: rest.remove(0).ticket, reason: error.to_string() });
        batch = rest;
    }
    Ok(undrainable)
}

/// Keeps what is no callback. Returns those that the log of refused bodies does not take either.
async fn reject(
    recorder: &mut impl Recorder,
    refused: Vec<Refused<'_>>,
) -> Result<Vec<Undrainable>, StoreError> {
    let mut undrainable = Vec::new();
    for Refused { id, raw, arrival, reason } in refused {
        match recorder.reject(Rejection::of(arrival, &raw), &reason).await {
            Err(error) if error.failure() == Failure::Poison => {
                undrainable.push(Undrainable { id, reason: error.to_string() });
            }
            kept => kept?,
        }
    }
    Ok(undrainable)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::scripted::{ScriptedStore, in_spool, reader};

    fn replay(store: &ScriptedStore) -> Replay<ScriptedStore> {
        Replay { reader: reader(), committer: store.committer() }
    }

    fn requests() -> Vec<SpooledRequest> {
        let bodies =
            ["SmsSid=s1&Status=sent", "no callback", "SmsSid=s2&Status=failed", "SmsSid=s3&Status=sent"];
        (1..).zip(bodies).map(|(id, body)| in_spool(id, body)).collect()
    }

    fn ids(undrainable: &[Undrainable]) -> Vec<i64> {
        undrainable.iter().map(|undrainable| undrainable.id).collect()
    }

    #[tokio::test]
    async fn callbacks_are_committed_in_their_order_and_the_rest_is_logged() {
        let store = ScriptedStore::default();
        assert_eq!(replay(&store).run(&requests()).await.unwrap(), []);
        assert_eq!(store.script().recorded, ["s1", "s2", "s3"]);
        assert_eq!(store.script().tried.len(), 1, "one commit");
        let (body, reason) = store.script().rejected[0].clone();
        assert!(body == "no callback" && reason.contains("no status callback"), "{reason}");
    }

    #[tokio::test]
    async fn a_store_that_fails_gets_nothing_and_everything_can_be_replayed_again() {
        let store = ScriptedStore::default();
        store.script().is_out = true;
        replay(&store).run(&requests()).await.unwrap_err();
        assert_eq!(store.script().recorded.len(), 0);
        assert_eq!(store.script().rejected.len(), 0);
        store.script().is_out = false;
        assert_eq!(replay(&store).run(&requests()).await.unwrap(), []);
        assert_eq!(store.script().recorded, ["s1", "s2", "s3"]);
    }

    #[tokio::test]
    async fn what_can_never_be_replayed_is_named_and_holds_nothing_up() {
        let store = ScriptedStore::default();
        store.script().poison.insert("s2".into());
        store.script().poisons_log = true;
        let mut requests = requests();
        requests.insert(0, SpooledRequest { account: "gone".into(), ..in_spool(7, "SmsSid=s7&Status=sent") });
        requests
            .insert(0, SpooledRequest { source: "prophecy".into(), ..in_spool(8, "SmsSid=s8&Status=sent") });
        let undrainable = replay(&store).run(&requests).await.unwrap();
        assert_eq!(ids(&undrainable), [8, 7, 3, 2]);
        assert_eq!(undrainable[0].reason, "its source `prophecy` is of a later version");
        assert_eq!(undrainable[1].reason, "the account `gone` is not configured");
        assert_eq!(store.script().recorded, ["s1", "s3"]);
    }

    #[tokio::test]
    async fn poison_goes_to_the_log_of_refused_bodies() {
        let store = ScriptedStore::default();
        store.script().poison.insert("s2".into());
        assert_eq!(replay(&store).run(&requests()).await.unwrap(), []);
        assert_eq!(store.script().recorded, ["s1", "s3"]);
        let bodies: Vec<_> = store.script().rejected.iter().map(|(body, _)| body.clone()).collect();
        assert_eq!(bodies, ["SmsSid=s2&Status=failed", "no callback"]);
    }
}
