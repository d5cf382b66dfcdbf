//! The filters of a question, read from the query string: the same for lists, exports and statistics.

use chrono::TimeDelta;

use super::{
    filter_values::{account, age, code, label, recipients, status, word},
    time_bound::TimeBound,
};
use crate::{
    domain::{Account, Anomaly, Time},
    http::{AppState, Problem, extract::once},
    storage::{MessageFilter, Window},
};

/// Collects the filters of a query string.
pub(crate) struct FilterReader<'s> {
    state: &'s AppState,
    filter: MessageFilter,
    recipients: Vec<String>,
    /// The ends of windows, in the order of [`Self::BOUNDS`].
    bounds: [Option<TimeBound>; 4],
    older_than: Option<TimeDelta>,
    /// How many values each of the parameters has so far.
    values: [usize; FilterReader::PARAMETERS.len()],
}

impl<'s> FilterReader<'s> {
    /// How many values one of them may have. Beyond it a statement comes near what the databases take.
    const MOST_VALUES: usize = 100;

    /// The parameters that are ends of windows.
    const BOUNDS: [&'static str; 4] = ["received_from", "received_to", "sent_from", "sent_to"];

    /// The parameters that filter.
    const PARAMETERS: [&'static str; 15] = [
        "account",
        "to",
        "outcome",
        "status",
        "code",
        "category",
        "retry",
        "label",
        "anomaly",
        "custom_field",
        "received_from",
        "received_to",
        "sent_from",
        "sent_to",
        "older_than",
    ];

    /// Reads a query string. What is no filter but one of the question's `own` parameters goes to `take_own`.
    pub fn read(
        state: &'s AppState,
        pairs: &[(String, String)],
        own: &[&str],
        mut take_own: impl FnMut(&str, &str) -> Result<(), Problem>,
    ) -> Result<MessageFilter, Problem> {
        let mut reader = Self {
            state,
            filter: MessageFilter::default(),
            recipients: Vec::new(),
            bounds: [const { None }; 4],
            older_than: None,
            values: [0; _],
        };
        for (name, value) in pairs {
            match name.as_str() {
                filter if Self::PARAMETERS.contains(&filter) => {
                    reader.count(filter)?;
                    reader.take(filter, value)?;
                }
                other if own.contains(&other) => take_own(other, value)?,
                unknown => {
                    let allowed = [&Self::PARAMETERS[..], own].concat();
                    return Err(Problem::unknown_parameter(unknown, &allowed));
                }
            }
        }
        reader.finish()
    }

    /// Counts one more value.
    fn count(&mut self, name: &str) -> Result<(), Problem> {
        let mut places = Self::PARAMETERS.iter().zip(&mut self.values);
        let values = places.find(|(parameter, _)| **parameter == name).map(|(_, values)| values);
        let values = values.expect("only parameters that filter are counted");
        *values += 1;
        if *values > Self::MOST_VALUES {
            let fault = format!("has more than {} values; ask in parts", Self::MOST_VALUES);
            return Err(Problem::parameter(name, fault).with("max_values", Self::MOST_VALUES));
        }
        Ok(())
    }

    /// Takes one filter.
    fn take(&mut self, name: &str, value: &str) -> Result<(), Problem> {
        if value.is_empty() || value.contains('\0') {
            return Err(Problem::parameter(name, "must neither be empty nor hold a NUL character"));
        }
        let filter = &mut self.filter;
        match name {
            "account" => filter.accounts.push(account(name, value)?),
            "to" => self.recipients.push(value.to_owned()),
            "outcome" => filter.outcomes.push(word(name, value)?),
            "status" => filter.statuses.push(status(name, value)?),
            "code" => filter.codes.push(code(name, value)?),
            "category" => filter.categories.push(word(name, value)?),
            "retry" => filter.retries.push(word(name, value)?),
            "label" => {
                let (key, value) = label(name, value)?;
                filter.labels.entry(key).or_default().push(value);
            }
            "anomaly" => filter.anomalies.insert(word::<Anomaly>(name, value)?),
            "custom_field" => filter.custom_fields.push(value.to_owned()),
            "older_than" => once(&mut self.older_than, name, age(name, value)?)?,
            bound => {
                let places = Self::BOUNDS.iter().zip(&mut self.bounds);
                let place = places.filter(|(name, _)| **name == bound).map(|(_, place)| place).next();
                let place = place.expect("all other parameters are ends of windows");
                once(place, name, TimeBound::read(name, value)?)?;
            }
        }
        Ok(())
    }

    /// What they ask for together.
    fn finish(self) -> Result<MessageFilter, Problem> {
        let Self { state, mut filter, recipients: asked, bounds, older_than, .. } = self;
        let accounts = state.accounts.settings_among(&filter.accounts);
        let instant = |at: usize| {
            let bound = bounds[at].as_ref();
            let accounts = accounts.iter().map(|account| -> &Account { account });
            bound.map(|bound| bound.instant(Self::BOUNDS[at], accounts)).transpose()
        };
        filter.received = Window { from: instant(0)?, to: instant(1)? };
        filter.sent = Window { from: instant(2)?, to: instant(3)? };
        for (name, from, window) in
            [("received_to", "received_from", filter.received), ("sent_to", "sent_from", filter.sent)]
        {
            if window.from.zip(window.to).is_some_and(|(from, to)| from >= to) {
                let fault = format!(
                    "must be later than `{from}`: it is the first moment behind the window, so that the whole of a day \
                     ends where the next one begins"
                );
                return Err(Problem::parameter(name, fault));
            }
        }
        if let Some(age) = older_than {
            let then = state.clock.now().checked_sub_signed(age);
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
