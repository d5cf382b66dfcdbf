//! What the filters of a question have said so far.

use std::borrow::Cow;

use chrono::TimeDelta;

use super::{filter_values::recipients, time_bound::TimeBound};
use crate::{
    domain::{Account, Time},
    http::{Problem, accounts::Accounts},
    storage::{MessageFilter, Window},
};

/// The filters as they were read one by one. Some are understood only once all are known: a time without an offset, and a
/// national number, go by the accounts that are asked for.
#[derive(Default)]
pub(super) struct FilterDraft {
    pub filter: MessageFilter,
    pub recipients: Vec<String>,
    pub received: WindowDraft,
    pub sent: WindowDraft,
    pub older_than: Option<TimeDelta>,
}

/// A window of time as it was written.
#[derive(Default)]
pub(super) struct WindowDraft {
    pub from: Option<TimeBound>,
    pub to: Option<TimeBound>,
}

impl FilterDraft {
    /// What the filters ask for together, at `now`.
    pub fn finish(self, accounts: &Accounts, now: Time) -> Result<MessageFilter, Problem> {
        let Self { mut filter, recipients: asked, received, sent, older_than } = self;
        let accounts = accounts.settings_among(&filter.accounts);
        filter.received = received.finish(&accounts)?;
        filter.sent = sent.finish(&accounts)?;
        if let Some(age) = older_than {
            let then = now.checked_sub_signed(age);
            // Nothing was received before, and Postgres' times begin later than chrono's.
            filter.received.end_at(then.unwrap_or(Time::UNIX_EPOCH).max(Time::UNIX_EPOCH));
        }
        for raw in &asked {
            for recipient in recipients("to", raw, &accounts)? {
                if !filter.recipients.contains(&recipient) {
                    filter.recipients.push(recipient);
                }
            }
        }
        Ok(filter)
    }
}

impl WindowDraft {
    fn finish(&self, accounts: &[Cow<'_, Account>]) -> Result<Window, Problem> {
        let instant = |bound: &Option<TimeBound>| {
            let accounts = accounts.iter().map(|account| -> &Account { account });
            bound.as_ref().map(|bound| bound.instant(accounts)).transpose()
        };
        let (from, to) = (instant(&self.from)?, instant(&self.to)?);
        if let (Some(first), Some(end)) = (&self.from, &self.to)
            && from >= to
        {
            let fault = format!(
                "must be later than `{}`: it is the first moment behind the window, so that the whole of a day ends where \
                 the next one begins",
                first.name()
            );
            return Err(Problem::parameter(end.name(), fault));
        }
        Ok(Window { from, to })
    }
}
