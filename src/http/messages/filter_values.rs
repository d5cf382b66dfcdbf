//! The values of filters, read and refused one by one.

use std::{borrow::Cow, str::FromStr};

use chrono::TimeDelta;
use strum::VariantArray;

use crate::{
    domain::{Account, AccountName, Labels, Recipient, ReportedStatus, Status},
    http::Problem,
};

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
pub(super) fn status(name: &str, value: &str) -> Result<Status, Problem> {
    let read = ReportedStatus::read(value).filter(|read| !read.is_alias).map(|read| read.status);
    read.ok_or_else(|| {
        let allowed: Vec<&str> = Status::VARIANTS.iter().map(|&word| word.into()).collect();
        Problem::word(name, &allowed)
    })
}

pub(super) fn account(name: &str, value: &str) -> Result<AccountName, Problem> {
    AccountName::new(&value.to_ascii_lowercase()).map_err(|error| Problem::parameter(name, error))
}

/// A recipient as each account reads it: they may be of several countries. It has to be one to one of them at least.
pub(super) fn recipients(
    name: &str,
    value: &str,
    accounts: &[Cow<'_, Account>],
) -> Result<Vec<Recipient>, Problem> {
    let asked: Vec<_> =
        accounts.iter().filter_map(|account| Recipient::asked(value, account.country)).collect();
    if asked.is_empty() && !accounts.is_empty() {
        let fault = "is no telephone number, such as +919812345670, and no masked one, such as 0XXXXX30240; \
             `anomaly=bad_recipient` lists messages whose recipient is none";
        return Err(Problem::parameter(name, fault));
    }
    Ok(asked)
}

pub(super) fn code(name: &str, value: &str) -> Result<i32, Problem> {
    value
        .parse()
        .map_err(|_| Problem::parameter(name, "a detailed status code is a whole number, such as 20005"))
}

pub(super) fn label(name: &str, value: &str) -> Result<(String, String), Problem> {
    let pair = value.split_once(':').filter(|(key, value)| !key.is_empty() && !value.is_empty());
    let (key, value) =
        pair.ok_or_else(|| Problem::parameter(name, "must be NAME:VALUE, such as campaign_id:diwali"))?;
    if key.len() > Labels::MAX_KEY || value.len() > Labels::MAX_VALUE {
        let fault = format!("no label is longer than {}:{} bytes", Labels::MAX_KEY, Labels::MAX_VALUE);
        return Err(Problem::parameter(name, fault));
    }
    Ok((key.to_owned(), value.to_owned()))
}

pub(super) fn age(name: &str, value: &str) -> Result<TimeDelta, Problem> {
    let fault = || Problem::parameter(name, "must be a duration, such as 90m, 1h or 2days");
    let age = humantime::parse_duration(value).map_err(|_| fault())?;
    TimeDelta::from_std(age).map_err(|_| fault())
}
