//! Arbitrary receipts: every code, known and unknown words, times, missing and contradictory fields.

use chrono_tz::Tz;
use dlr_receiver::domain::{
    Account, AccountName, Anomalies, Anomaly, Country, DeliveryReceipt, Labels, RawField, Reception, Source,
    StatusCallback, StatusTable, Time,
};
use proptest::{collection::vec, option, prelude::*, sample::select};

/// What a receipt says, before it belongs to a message.
#[derive(Clone, Debug)]
pub struct Said {
    fields: Vec<(&'static str, String)>,
    labels: Vec<(String, String)>,
    bad_text: bool,
    received_at: i64,
    signed_for: Option<&'static str>,
}

fn codes() -> impl Strategy<Value = String> {
    let known: Vec<String> = StatusTable::default().iter().map(|entry| entry.code.to_string()).collect();
    prop_oneof![8 => select(known), 1 => select(vec!["20000", "23999", "0", "99999999999", "x"]).prop_map(String::from)]
}

fn names() -> impl Strategy<Value = String> {
    let known: Vec<String> = StatusTable::default().iter().map(|entry| entry.name.to_string()).collect();
    prop_oneof![4 => select(known), 1 => "[A-Z_é]{1,6}"]
}

fn statuses() -> impl Strategy<Value = String> {
    let words = vec![
        "queued",
        "sending",
        "submitted",
        "sent",
        "failed",
        "failed-dnd",
        "failed_dnd",
        "delivered",
        "undelivered",
        "expired",
        "rejected",
        "teleported",
        "DELIVERED_TO_HANDSET",
        "FAILED_EXPIRED",
        "Zürich",
        "null",
        "",
    ];
    select(words).prop_map(String::from)
}

fn texts() -> impl Strategy<Value = String> {
    // Beyond the basic plane too: UTF-16 would order those differently than bytes do.
    prop_oneof![
        "[ab]{0,3}",
        select(vec!["\u{FFFD}", "\u{10348}", "z", "Z", "é", "'", "\\", "%", "\""]).prop_map(String::from)
    ]
}

/// Arbitrary receipts; few values each, so that they agree and disagree often.
pub fn said() -> impl Strategy<Value = Said> {
    let time = select(vec![
        "2025-01-15 10:30:00",
        "2025-01-15 10:30:01",
        "2025-01-15T05:00:00.5Z",
        "1970-01-01 05:30:00",
        "soon",
    ]);
    let to = select(vec!["09812345670", "+919812345670", "9812345671", "0XXXXX45670", "12"]);
    let units = select(vec!["1", "2", "10", "null", "-1", "x"]);
    let verdict = (option::weighted(0.8, codes()), option::of(names()), option::weighted(0.8, statuses()));
    let times = (option::of(time.clone()), option::of(time));
    let error = option::weighted(0.3, select(vec!["23050", "20005", "999", "0", "None", "x"]));
    let rest = (times, error, option::of(units), option::of(to), option::of(texts()));
    let labels = vec((select(vec!["a", "b", "campaign_id"]), texts()), 0..3);
    (verdict, rest, labels, any::<bool>(), 0..5_i64).prop_map(
        |(verdict, rest, labels, bad_text, received_at)| {
            let (code, name, status) = verdict;
            let ((sent, delivered), error, units, to, custom) = rest;
            let fields = [
                ("DetailedStatusCode", code),
                ("DetailedStatus", name),
                // A callback without any of the three is none.
                ("Status", status.filter(|word| !word.is_empty()).or(Some("sent".to_owned()))),
                ("ErrorCode", error.map(String::from)),
                ("DateSent", sent.map(String::from)),
                ("DeliveredAt", delivered.map(String::from)),
                ("SmsUnits", units.map(String::from)),
                ("To", to.map(String::from)),
                ("CustomField", custom),
            ];
            let fields = fields.into_iter().filter_map(|(key, value)| Some((key, value?))).collect();
            let labels = labels.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
            Said { fields, labels, bad_text, received_at, signed_for: None }
        },
    )
}

/// Receipts of which some came by URLs that were signed for one of few recipients.
pub fn signed_or_not() -> impl Strategy<Value = Said> {
    let number = select(vec!["+919812345670", "+919812345671", "+919800005670", "56767"]);
    (said(), option::weighted(0.6, number)).prop_map(|(said, signed_for)| Said { signed_for, ..said })
}

impl Said {
    /// The receipt, if it were about message `sid`. One that says nothing at all is made to say "sent".
    pub fn about(&self, sid: &str) -> DeliveryReceipt {
        let field = |(key, value): &(&str, String)| RawField::new((*key).to_owned(), Some(value.clone()));
        let mut fields: Vec<_> = self.fields.iter().map(field).collect();
        fields.push(RawField::new("SmsSid", Some(sid.into())));
        let callback = StatusCallback::from_fields(fields).or_else(|(_, mut fields)| {
            fields.retain(|field| field.key != "Status");
            fields.push(RawField::new("Status", Some("sent".into())));
            StatusCallback::from_fields(fields)
        });
        let (mut labels, mut anomalies) = (Labels::default(), Anomalies::NONE);
        for (key, value) in &self.labels {
            labels.insert(key, value);
        }
        anomalies.insert_if(self.bad_text, Anomaly::BadText);
        let reception = Reception {
            account: &account(),
            table: &StatusTable::default(),
            labels,
            anomalies,
            source: Source::Callback,
            received_at: Time::from_timestamp_micros(super::NOW_MICROS + self.received_at).unwrap(),
            signed_for: self.signed_for.map(str::to_owned),
        };
        DeliveryReceipt::normalise(callback.unwrap(), reception)
    }
}

/// The account that all of them belong to.
pub fn account() -> Account {
    Account { name: AccountName::new("acme").unwrap(), time_zone: Tz::Asia__Kolkata, country: Country::INDIA }
}
