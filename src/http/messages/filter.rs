//! The filters of a question, read from the query string: the same for lists, exports and statistics.

use std::str::FromStr;

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use strum::VariantArray;

use crate::{
    domain::{AccountName, Anomaly, Labels, Recipient, ReportedStatus, Status, Time},
    http::{AppState, Problem, extract::once},
    storage::MessageFilter,
};

/// Collects the filters of a query string.
pub(crate) struct FilterReader<'s> {
    state: &'s AppState,
    filter: MessageFilter,
    recipients: Vec<String>,
    older_than: Option<TimeDelta>,
}

impl<'s> FilterReader<'s> {
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
        let mut reader =
            Self { state, filter: MessageFilter::default(), recipients: Vec::new(), older_than: None };
        for (name, value) in pairs {
            match name.as_str() {
                filter if Self::PARAMETERS.contains(&filter) => reader.take(filter, value)?,
                other if own.contains(&other) => take_own(other, value)?,
                unknown => {
                    let allowed = [&Self::PARAMETERS[..], own].concat();
                    return Err(Problem::unknown_parameter(unknown, &allowed));
                }
            }
        }
        reader.finish()
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
            "received_from" => once(&mut filter.received.from, name, time(name, value)?)?,
            "received_to" => once(&mut filter.received.to, name, time(name, value)?)?,
            "sent_from" => once(&mut filter.sent.from, name, time(name, value)?)?,
            "sent_to" => once(&mut filter.sent.to, name, time(name, value)?)?,
            _ => once(&mut self.older_than, name, age(name, value)?)?,
        }
        Ok(())
    }

    /// What they ask for together.
    fn finish(self) -> Result<MessageFilter, Problem> {
        let Self { state, mut filter, recipients, older_than } = self;
        for (name, from, window) in
            [("received_to", "received_from", filter.received), ("sent_to", "sent_from", filter.sent)]
        {
            if window.from.zip(window.to).is_some_and(|(from, to)| from >= to) {
                return Err(Problem::parameter(name, format!("must be later than `{from}`")));
            }
        }
        if let Some(age) = older_than {
            let then = state.clock.now().checked_sub_signed(age);
            filter.received.end_at(then.unwrap_or(Time::UNIX_EPOCH));
        }
        for raw in &recipients {
            // The accounts in question may be of several countries.
            for account in state.accounts_among(&filter.accounts) {
                let recipient = Recipient::read(raw, account.country);
                if !filter.recipients.contains(&recipient) {
                    filter.recipients.push(recipient);
                }
            }
        }
        Ok(filter)
    }
}

/// One of a closed set of words.
pub(super) fn word<T: FromStr + VariantArray + Copy + Into<&'static str>>(
    name: &str,
    value: &str,
) -> Result<T, Problem> {
    value.parse().map_err(|_| {
        let allowed: Vec<&str> = T::VARIANTS.iter().map(|&word| word.into()).collect();
        Problem::word(name, &allowed)
    })
}

/// A status in any spelling of its own; the newer words mean several, so they are none.
fn status(name: &str, value: &str) -> Result<Status, Problem> {
    let read = ReportedStatus::read(value).filter(|read| !read.is_alias).map(|read| read.status);
    read.ok_or_else(|| {
        let allowed: Vec<&str> = Status::VARIANTS.iter().map(|&word| word.into()).collect();
        Problem::word(name, &allowed)
    })
}

fn account(name: &str, value: &str) -> Result<AccountName, Problem> {
    AccountName::new(&value.to_ascii_lowercase()).map_err(|error| Problem::parameter(name, error))
}

fn code(name: &str, value: &str) -> Result<i32, Problem> {
    value
        .parse()
        .map_err(|_| Problem::parameter(name, "a detailed status code is a whole number, such as 20005"))
}

fn label(name: &str, value: &str) -> Result<(String, String), Problem> {
    let pair = value.split_once(':').filter(|(key, value)| !key.is_empty() && !value.is_empty());
    let (key, value) =
        pair.ok_or_else(|| Problem::parameter(name, "must be NAME:VALUE, such as campaign_id:diwali"))?;
    if key.len() > Labels::MAX_KEY || value.len() > Labels::MAX_VALUE {
        let fault = format!("no label is longer than {}:{} bytes", Labels::MAX_KEY, Labels::MAX_VALUE);
        return Err(Problem::parameter(name, fault));
    }
    Ok((key.to_owned(), value.to_owned()))
}

/// RFC 3339. A `+` that was not encoded has become a space.
fn time(name: &str, value: &str) -> Result<Time, Problem> {
    let read = DateTime::parse_from_rfc3339(&value.replace(' ', "+"));
    let time = read.map_err(|_| {
        Problem::parameter(name, "must be a time as RFC 3339 writes it, such as 2026-11-21T18:30:00+05:30")
    })?;
    let time = time.with_timezone(&Utc).trunc_subsecs(6);
    let years = Time::UNIX_EPOCH..DateTime::from_timestamp(253_402_300_800, 0).unwrap_or(Time::MAX_UTC);
    let fault = || Problem::parameter(name, "must lie between the years 1970 and 9999");
    years.contains(&time).then_some(time).ok_or_else(fault)
}

fn age(name: &str, value: &str) -> Result<TimeDelta, Problem> {
    let fault = || Problem::parameter(name, "must be a duration, such as 90m, 1h or 2days");
    let age = humantime::parse_duration(value).map_err(|_| fault())?;
    TimeDelta::from_std(age).map_err(|_| fault())
}
