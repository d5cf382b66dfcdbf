//! Computes with the service's own rules what a receiver must answer for a message, and compares it with the actual
//! answer.
//!
//! May import `answers`, `domain` and `exotel`.

use std::fmt;

use serde_json::{Value, json};

use super::{request::CallbackRequest, traffic::MOST_CALLBACKS};
use crate::{
    answers::MessageView,
    domain::{Account, Country, DeliveryReceipt, Message, Reception, Recipient, Source, StatusTable, Time},
    exotel::{ParsedCallback, parse},
};

/// Fields that depend on when and how often callbacks arrived, and are not compared.
const ARRIVAL: [&str; 3] = ["first_received_at", "last_received_at", "callbacks"];
/// The longest value that is shown, in characters.
const SHOWN: usize = 60;

/// The rules: how the account's callbacks are read.
#[derive(Clone, Debug)]
pub struct Rules {
    /// The account, as the receiver has it.
    pub account: Account,
    /// The status codes, as the receiver has them.
    pub table: StatusTable,
}

impl Rules {
    /// The receipt that a callback is normalised to.
    pub(super) fn receipt(&self, request: &CallbackRequest) -> DeliveryReceipt {
        let ParsedCallback { callback, labels, anomalies } =
            parse(&request.raw()).expect("the simulator's callbacks are status callbacks");
        let (account, table) = (&self.account, &self.table);
        let (source, received_at) = (Source::Callback, Time::UNIX_EPOCH);
        DeliveryReceipt::normalise(
            callback,
            Reception { account, table, labels, anomalies, source, received_at, signed_for: None },
        )
    }

    /// All acceptable answers for a message: it has the acknowledged receipts, `sure`, and any subset of the others,
    /// `unsure`. Empty when the receiver cannot know the message.
    pub(super) fn acceptable(&self, sure: &[DeliveryReceipt], unsure: &[DeliveryReceipt]) -> Vec<Value> {
        let subset = |mask: u32| {
            let chosen = unsure.iter().enumerate().filter(move |(i, _)| mask >> i & 1 == 1);
            let receipts: Vec<_> = sure.iter().chain(chosen.map(|(_, receipt)| receipt)).cloned().collect();
            Message::of_batch(&receipts).first().map(|message| json!(MessageView::of(message, &self.table)))
        };
        debug_assert!(unsure.len() <= MOST_CALLBACKS, "few, so that their subsets are few too");
        (0..1_u32 << unsure.len()).filter_map(subset).collect()
    }
}

/// A field whose value is not the expected one.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    field: String,
    expected: Value,
    stored: Value,
}

/// The differences between `stored` and the closest of `acceptable`; empty when it equals one of them. Fields that a
/// newer receiver adds are ignored.
pub(super) fn differences(acceptable: &[Value], stored: &Value) -> Vec<Difference> {
    let from = |expected: &Value| {
        let fields = expected.as_object().into_iter().flatten();
        let said =
            fields.filter(|(field, value)| !ARRIVAL.contains(&field.as_str()) && stored[*field] != **value);
        let difference = |(field, expected): (&String, &Value)| Difference {
            field: field.clone(),
            expected: expected.clone(),
            stored: stored[field].clone(),
        };
        said.map(difference).collect::<Vec<_>>()
    };
    acceptable.iter().map(from).min_by_key(Vec::len).unwrap_or_default()
}

impl Difference {
    /// A count of callbacks that is too low.
    pub(super) fn too_few_callbacks(acknowledged: u32, stored: &Value) -> Self {
        let expected = format!("{acknowledged} or more").into();
        Self { field: "callbacks".to_owned(), expected, stored: stored["callbacks"].clone() }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { field, expected, stored } = self;
        write!(f, "{field} should be {}, is {}", shown(field, expected), shown(field, stored))
    }
}

/// A value for the report: phone numbers are masked, long values cut.
fn shown(field: &str, value: &Value) -> String {
    match value {
        Value::String(text) if field.starts_with("to") => Recipient::read(text, Country::INDIA).to_string(),
        other => other.to_string().chars().take(SHOWN).collect(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::AccountName;

    fn rules() -> Rules {
        let account = Account::unconfigured(AccountName::new("default").unwrap());
        Rules { account, table: StatusTable::default() }
    }

    fn receipt(said: &str) -> DeliveryReceipt {
        let body = format!("SmsSid=s1&To=09812345670&{said}").into_bytes();
        rules().receipt(&CallbackRequest { query: String::new(), body: Some(("", body)) })
    }

    #[test]
    fn a_message_is_the_merge_of_what_is_sure_and_any_of_what_is_not() {
        let sure = [receipt("Status=submitted&DetailedStatusCode=21020")];
        let unsure = [receipt("Status=sent&DetailedStatusCode=20006"), receipt("Status=sent&SmsUnits=3")];
        let acceptable = rules().acceptable(&sure, &unsure);
        assert_eq!(acceptable.len(), 4);
        let stored = |outcome: &str, units: Value| {
            let mut stored =
                acceptable.iter().find(|one| one["outcome"] == outcome && one["sms_units"] == units);
            let mut stored = stored.take().cloned()?;
            stored["first_received_at"] = json!("2026-01-15T00:00:00Z");
            stored["callbacks"] = json!(7);
            stored["more"] = json!("of a newer receiver");
            Some(stored)
        };
        for (outcome, units) in
            [("pending", Value::Null), ("delivered", Value::Null), ("delivered", json!(3))]
        {
            assert_eq!(differences(&acceptable, &stored(outcome, units).unwrap()), []);
        }
        assert!(stored("pending", json!(3)).is_none(), "units come with the delivery");
        assert!(rules().acceptable(&[], &[]).is_empty());
        assert_eq!(rules().acceptable(&[], &sure).len(), 1, "or it is unknown");
    }

    #[test]
    fn a_difference_is_told_from_the_nearest_and_hides_numbers() {
        let acceptable = rules().acceptable(&[receipt("Status=sent&DetailedStatusCode=20005")], &[]);
        let mut stored = acceptable[0].clone();
        stored["outcome"] = json!("failed");
        stored["to"] = json!("+919899999999");
        let told: Vec<String> = differences(&acceptable, &stored).iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "to should be *********5670, is *********9999",
                "outcome should be \"delivered\", is \"failed\""
            ]
        );
    }
}
