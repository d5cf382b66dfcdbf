//! The laws of merging: any order, any number of times, any grouping, same outcome.

use dlr_receiver::domain::{
    Anomalies, Anomaly, DeliveryOutcome, DeliveryReceipt, Labels, Message, RawField, Reception, Source,
    StatusCallback, StatusTable, Time,
};
use proptest::{collection::vec, prelude::*, sample::subsequence};

use crate::support::arbitrary::{Said, account, said};

fn outcome(said: &Said) -> DeliveryOutcome {
    said.about("s1").outcome
}

fn joined(a: &DeliveryOutcome, b: &DeliveryOutcome) -> DeliveryOutcome {
    let mut joined = a.clone();
    joined.merge(b);
    joined
}

fn join_all<'a>(outcomes: impl IntoIterator<Item = &'a DeliveryOutcome>) -> DeliveryOutcome {
    let mut outcomes = outcomes.into_iter();
    let first = outcomes.next().unwrap().clone();
    outcomes.fold(first, |all, next| joined(&all, next))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn merging_is_commutative(a in said(), b in said()) {
        let (a, b) = (outcome(&a), outcome(&b));
        prop_assert_eq!(joined(&a, &b), joined(&b, &a));
    }

    #[test]
    fn merging_is_associative(a in said(), b in said(), c in said()) {
        let (a, b, c) = (outcome(&a), outcome(&b), outcome(&c));
        prop_assert_eq!(joined(&joined(&a, &b), &c), joined(&a, &joined(&b, &c)));
    }

    #[test]
    fn merging_is_idempotent(all in vec(said(), 1..6)) {
        let all: Vec<_> = all.iter().map(outcome).collect();
        let once = join_all(&all);
        prop_assert_eq!(join_all(all.iter().chain(&all)), once.clone());
        prop_assert_eq!(joined(&once, &once), once);
    }

    #[test]
    fn what_is_known_is_never_erased(all in vec(said(), 1..6)) {
        let all: Vec<_> = all.iter().map(outcome).collect();
        let whole = join_all(&all);
        for one in &all {
            prop_assert!(whole.verdict >= one.verdict);
            prop_assert!(whole.sms_units >= one.sms_units);
            prop_assert!(whole.custom_field >= one.custom_field);
            prop_assert!(whole.recipient.e164 >= one.recipient.e164);
            prop_assert_eq!(whole.anomalies.union(one.anomalies), whole.anomalies);
        }
    }

    #[test]
    fn flags_of_the_join_say_what_they_say(all in vec(said(), 1..6)) {
        let all: Vec<_> = all.iter().map(outcome).collect();
        let whole = join_all(&all);
        let finals: Vec<_> = all.iter().map(|o| o.verdict.outcome).filter(|o| o.is_final()).collect();
        let conflict = finals.iter().any(|outcome| *outcome != finals[0]);
        prop_assert_eq!(whole.anomalies.contains(Anomaly::ConflictingFinals), conflict);
        let numbers: Vec<_> = all.iter().filter_map(|o| o.recipient.e164.as_ref()).collect();
        let mismatch = numbers.iter().any(|number| *number != numbers[0]);
        prop_assert_eq!(whole.anomalies.contains(Anomaly::RecipientMismatch), mismatch);
    }

    #[test]
    fn a_batch_merges_as_its_receipts_do(all in vec((said(), 0..3_u8), 1..12)) {
        let receipts: Vec<_> = all.iter().map(|(said, sid)| said.about(&format!("s{sid}"))).collect();
        let messages = Message::of_batch(&receipts);
        prop_assert!(messages.is_sorted_by(|a, b| a.sid < b.sid), "each once, in the order of sids");
        for message in messages {
            let own: Vec<_> = receipts.iter().filter(|receipt| receipt.sid == *message.sid).collect();
            prop_assert_eq!(&*message.outcome, &join_all(own.iter().map(|receipt| &receipt.outcome)));
            prop_assert_eq!(message.callbacks, i32::try_from(own.len()).unwrap());
            prop_assert_eq!(Some(message.first_received_at), own.iter().map(|r| r.received_at).min());
            prop_assert_eq!(Some(message.last_received_at), own.iter().map(|r| r.received_at).max());
        }
    }

    #[test]
    fn the_winner_is_one_of_the_receipts(all in vec(said(), 1..6), some in subsequence(vec![0, 1, 2, 3, 4], 1..5)) {
        let all: Vec<_> = all.iter().map(outcome).collect();
        let chosen: Vec<_> = some.iter().filter_map(|&at: &usize| all.get(at)).collect();
        prop_assume!(!chosen.is_empty());
        let verdict = join_all(chosen.iter().copied()).verdict;
        prop_assert!(chosen.iter().any(|one| one.verdict == verdict), "all that is decided together comes from one");
    }
}

#[test]
fn evidence_goes_before_time_time_before_specificity_and_specificity_before_the_code() {
    let verdict = |code: &str, sent: &str| {
        let fields = [("SmsSid", "s1"), ("DetailedStatusCode", code), ("DateSent", sent)];
        let field = |(key, value): (&str, &str)| RawField::new(key.to_owned(), Some(value.into()));
        let callback = StatusCallback::from_fields(fields.map(field).into()).unwrap();
        let reception = Reception {
            account: &account(),
            table: &StatusTable::default(),
            labels: Labels::default(),
            anomalies: Anomalies::NONE,
            source: Source::Callback,
            received_at: Time::UNIX_EPOCH,
            signed_for: None,
        };
        DeliveryReceipt::normalise(callback, reception).outcome.verdict
    };
    let (early, late) = ("2025-01-15 10:30:00", "2025-01-15 10:31:00");
    for (stronger, weaker) in [
        (verdict("20005", ""), verdict("23010", late)),
        (verdict("23010", ""), verdict("20006", late)),
        (verdict("20006", ""), verdict("21020", late)),
        (verdict("21020", ""), verdict("21015", late)),
        (verdict("21015", ""), verdict("21010", late)),
        (verdict("23999", ""), verdict("21020", late)),
        (verdict("23010", late), verdict("23040", early)),
        (verdict("23010", early), verdict("23040", "")),
        (verdict("23010", early), verdict("24990", early)),
        (verdict("24990", late), verdict("23010", early)),
        (verdict("23040", early), verdict("23010", early)),
    ] {
        assert!(stronger > weaker, "{stronger:?}\n{weaker:?}");
    }
}
