//! A delivery receipt: one event about one message, normalised.

use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr, VariantArray};

use super::{
    Account, AccountName, Anomalies, Anomaly, DeliveryOutcome, Field, Labels, MessageSid, Outcome,
    ProviderTime, RawField, Recipient, StatusCallback, StatusTable, Time, Verdict,
    reading::{Reading, whole_number},
};

/// Where a receipt came from.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, EnumString, IntoStaticStr, VariantArray,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Source {
    /// A callback of Exotel's.
    Callback,
}

/// The context of a callback's reception: what normalising needs besides the callback itself.
#[derive(Clone, Debug)]
pub struct Reception<'a> {
    /// The account whose URL was called.
    pub account: &'a Account,
    /// The codes in force.
    pub table: &'a StatusTable,
    /// What the URL's query said.
    pub labels: Labels,
    /// What was odd about the query and about the text of the request.
    pub anomalies: Anomalies,
    /// Where it came from.
    pub source: Source,
    /// When it was received.
    pub received_at: Time,
    /// The recipient that the callback URL was signed for, where a signature authenticated the callback: in
    /// E.164, or as the URL spells it where that is no number.
    pub signed_for: Option<String>,
}

/// One event about one message, normalised. Append-only in the store.
#[derive(Clone, Debug, PartialEq)]
pub struct DeliveryReceipt {
    /// The message.
    pub sid: MessageSid,
    /// The account.
    pub account: AccountName,
    /// Where the receipt came from.
    pub source: Source,
    /// When it was received.
    pub received_at: Time,
    /// The outcome of the message if this were its only receipt.
    pub outcome: DeliveryOutcome,
    /// `DeliveredAt`, where given.
    pub delivered_at: Option<Time>,
    /// `DateUpdated` or `UpdatedAt`, where given.
    pub updated_at: Option<Time>,
    /// The recipient that the callback URL was signed for: the receipt takes part in the outcome of no other
    /// recipient's message. None where the callback was authenticated by a token, or not at all.
    pub signed_for: Option<String>,
    /// Every field as received.
    pub fields: Vec<RawField>,
}

impl DeliveryReceipt {
    /// What `callback` means: by its code, else by its detailed name, else by its status. Pure.
    #[must_use]
    pub fn normalise(callback: StatusCallback, reception: Reception<'_>) -> Self {
        let Reception { account, table, mut labels, mut anomalies, source, received_at, signed_for } =
            reception;
        let mut time = |field| read_time(&callback, field, account, &mut anomalies);
        let (date_sent, sent_at) = (time(Field::DateSent), time(Field::SentAt));
        let (date_updated, updated_at) = (time(Field::DateUpdated), time(Field::UpdatedAt));
        let delivered_at = time(Field::DeliveredAt);
        let reading = Reading::of(&callback, table);
        let verdict = reading.verdict();
        // Of a delivery all three name the same time: that of the delivery.
        let delivered = delivered_at.filter(|_| verdict.outcome == Outcome::Delivered);
        let verdict = Verdict { sent_at: date_sent.or(sent_at).or(delivered), ..verdict };
        anomalies = anomalies.union(reading.anomalies());
        let unlabelled = labels.get(Labels::CAMPAIGN_ID).is_none();
        if let Some(campaign) = callback.get(Field::CampaignSid).filter(|_| unlabelled) {
            anomalies.insert_if(!labels.insert(Labels::CAMPAIGN_ID, campaign), Anomaly::BadLabel);
        }
        let units = callback.get(Field::SmsUnits);
        let sms_units = units.and_then(whole_number).filter(|&units| units >= 0);
        anomalies.insert_if(units.is_some() && sms_units.is_none(), Anomaly::BadUnits);
        let recipient = callback.get(Field::To).map(|to| Recipient::read(to, account.country));
        let recipient = recipient.unwrap_or_default();
        anomalies.insert_if(recipient.is_no_number(), Anomaly::BadRecipient);
        let recipient = recipient.signed_for(signed_for.as_deref());
        let outcome = DeliveryOutcome {
            verdict,
            sms_units,
            custom_field: callback.get(Field::CustomField).map(str::to_owned),
            recipient,
            labels,
            anomalies,
        };
        let (sid, fields) = callback.into_parts();
        let (account, updated_at) = (account.name.clone(), date_updated.or(updated_at));
        Self { sid, account, source, received_at, outcome, delivered_at, updated_at, signed_for, fields }
    }
}

fn read_time(
    callback: &StatusCallback,
    field: Field,
    account: &Account,
    anomalies: &mut Anomalies,
) -> Option<Time> {
    match ProviderTime::read(callback.get(field)?, account.time_zone) {
        ProviderTime::At(time) => Some(time),
        ProviderTime::NotSent => None,
        ProviderTime::Unreadable => {
            anomalies.insert(Anomaly::BadTime);
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono_tz::Tz;

    use super::*;
    use crate::domain::Country;

    fn receipt(pairs: &[(&str, &str)]) -> DeliveryReceipt {
        let account = Account {
            name: AccountName::new("acme").unwrap(),
            time_zone: Tz::Asia__Kolkata,
            country: Country::INDIA,
        };
        let sid = [("SmsSid", "s1")];
        let fields = sid.iter().chain(pairs);
        let field = |&(key, value): &(&str, &str)| RawField::new(key.to_owned(), Some(value.into()));
        let callback = StatusCallback::from_fields(fields.map(field).collect()).unwrap();
        let reception = Reception {
            account: &account,
            table: &StatusTable::default(),
            labels: Labels::default(),
            anomalies: Anomalies::NONE,
            source: Source::Callback,
            received_at: Time::UNIX_EPOCH,
            signed_for: None,
        };
        DeliveryReceipt::normalise(callback, reception)
    }

    fn flags(pairs: &[(&str, &str)]) -> Vec<&'static str> {
        receipt(pairs).outcome.anomalies.words().collect()
    }

    fn verdict(pairs: &[(&str, &str)]) -> (Outcome, Option<i32>, String, String) {
        let Verdict { outcome, code, name, status, .. } = receipt(pairs).outcome.verdict;
        (outcome, code, name.unwrap_or_default().into(), status.unwrap_or_default().into())
    }

    #[test]
    fn the_code_decides_before_the_status() {
        let said = [("Status", "failed"), ("DetailedStatusCode", "20005")];
        let expected = (Outcome::Delivered, Some(20005), "DELIVERED_TO_HANDSET".into(), "sent".into());
        assert_eq!(verdict(&said), expected);
        assert_eq!(flags(&said), ["status_code_mismatch"]);
    }

    #[test]
    fn the_name_decides_before_the_status_and_may_stand_in_its_place() {
        let row = [("Status", "failed_dnd"), ("DetailedStatus", "FAILED_REJECTED_DND")];
        assert_eq!(verdict(&row).1, Some(23005));
        assert!(flags(&row).is_empty());
        let in_status = [("Status", "DELIVERED_TO_HANDSET"), ("ExoStatusCode", "20005")];
        assert_eq!(verdict(&in_status).0, Outcome::Delivered);
        assert!(flags(&in_status).is_empty());
        assert_eq!(
            flags(&[("Status", "FAILED_EXPIRED"), ("ExoStatusCode", "20005")]),
            ["name_code_mismatch"]
        );
        assert_eq!(
            flags(&[("DetailedStatus", "FAILED_EXPIRED"), ("DetailedStatusCode", "20005")]),
            ["name_code_mismatch"]
        );
    }

    #[test]
    fn an_unknown_code_is_kept_classified_and_flagged() {
        let named = [
            ("Status", "delivered"),
            ("DetailedStatus", "DELIVERED_TO_HANDSET"),
            ("DetailedStatusCode", "20000"),
        ];
        let expected = (Outcome::Delivered, Some(20000), "DELIVERED_TO_HANDSET".into(), "sent".into());
        assert_eq!(verdict(&named), expected);
        assert_eq!(flags(&named), ["unknown_code"]);
        assert!(!receipt(&named).outcome.verdict.specific);
        let by_status =
            [("Status", "expired"), ("DetailedStatus", "DLT_NEW"), ("DetailedStatusCode", "23999")];
        assert_eq!(verdict(&by_status), (Outcome::Failed, Some(23999), "DLT_NEW".into(), "failed".into()));
        let strange = [("Status", "Lost In Space"), ("DetailedStatusCode", "99999999999")];
        assert_eq!(verdict(&strange), (Outcome::Unknown, None, String::new(), "Lost In Space".into()));
        assert_eq!(flags(&strange), ["unknown_code", "unknown_status"]);
    }

    #[test]
    fn an_error_code_stands_in_for_a_code_that_is_missing() {
        let known = [("Status", "failed"), ("ErrorCode", "23050")];
        assert_eq!(verdict(&known), (Outcome::Failed, Some(23050), "FAILED_EXPIRED".into(), "failed".into()));
        assert!(flags(&known).is_empty() && receipt(&known).outcome.verdict.specific);
        assert_eq!(verdict(&[("error_code", "23050")]).1, Some(23050), "alone");
        let unknown = [("Status", "failed"), ("ErrorCode", "999")];
        assert_eq!((verdict(&unknown).0, verdict(&unknown).1), (Outcome::Failed, Some(999)));
        assert_eq!(flags(&unknown), ["unknown_code"]);
        let word = [("Status", "failed"), ("ErrorCode", "EC_ABSENT")];
        assert_eq!((verdict(&word).1, flags(&word)), (None, vec!["unknown_code"]));
        for none in ["0", "000", "0.0", "", "null", "None", "N/A", "['0']", " 0 ", "No Error", "OK"] {
            let said = [("Status", "sent"), ("DetailedStatus", "DELIVERED_TO_HANDSET"), ("ErrorCode", none)];
            assert_eq!((verdict(&said).1, flags(&said)), (Some(20005), Vec::new()), "{none}");
            let fields = [("SmsSid", "s1"), ("ErrorCode", none)]
                .map(|(key, value)| RawField::new(key.to_owned(), Some(value.into())));
            assert!(StatusCallback::from_fields(fields.into()).is_err(), "{none} alone says nothing");
        }
        for field in ["DetailedStatusCode", "ExoStatusCode"] {
            let both = [("Status", "sent"), (field, "20005"), ("ErrorCode", "23050")];
            assert_eq!((verdict(&both).1, flags(&both)), (Some(20005), Vec::new()), "{field}");
        }
    }

    #[test]
    fn the_time_of_a_delivery_is_sent_at_where_no_other_is() {
        let sent_at = |fields: &[(&str, &str)]| {
            receipt(&[fields, &[("DeliveredAt", "2025-01-15 10:30:02 +0530")]].concat())
                .outcome
                .verdict
                .sent_at
        };
        let (given, delivered) = ("2025-01-15T05:00:01Z".parse().ok(), "2025-01-15T05:00:02Z".parse().ok());
        for code in ["20005", "20006"] {
            assert_eq!(sent_at(&[("DetailedStatusCode", code)]), delivered, "{code}");
        }
        for none in ["1970-01-01 05:30:00", "", "null", "soon"] {
            assert_eq!(sent_at(&[("Status", "delivered"), ("DateSent", none)]), delivered, "{none}");
        }
        for field in ["DateSent", "SentAt"] {
            assert_eq!(sent_at(&[("Status", "sent"), (field, "2025-01-15 10:30:01")]), given, "{field}");
        }
        for status in ["queued", "failed", "teleported"] {
            assert_eq!(sent_at(&[("Status", status)]), None, "{status} is no delivery");
        }
    }

    #[test]
    fn times_units_and_recipient_are_read_or_flagged() {
        let good = receipt(&[
            ("Status", "sent"),
            ("DateSent", "2017-11-12 00:24:35"),
            ("SmsUnits", "2"),
            ("To", "09812345670"),
            ("CampaignSid", "camp1"),
        ]);
        assert_eq!(good.outcome.verdict.sent_at, Some("2017-11-11T18:54:35Z".parse().unwrap()));
        assert_eq!(
            (good.outcome.sms_units, good.outcome.labels.get("campaign_id")),
            (Some(2), Some("camp1"))
        );
        assert_eq!(good.outcome.recipient.e164.as_deref(), Some("+919812345670"));
        assert_eq!(good.outcome.anomalies, Anomalies::NONE);
        let floats = receipt(&[("DetailedStatusCode", "20005.0"), ("SmsUnits", "3.0")]).outcome;
        assert_eq!((floats.verdict.code, floats.sms_units), (Some(20005), Some(3)));
        assert_eq!(
            flags(&[("Status", "sent"), ("DateSent", "<time>"), ("SmsUnits", "-1")]),
            ["bad_time", "bad_units"]
        );
        assert!(
            flags(&[("Status", "queued"), ("DateSent", "1970-01-01 05:30:00"), ("SmsUnits", "")]).is_empty()
        );
    }
}
