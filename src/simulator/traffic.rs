//! What Exotel says about each message of a run: pure, and the same for the same seed.
//!
//! May import `domain`.

use chrono::{NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};
use rand::{Rng, RngExt, SeedableRng, rngs::SmallRng, seq::IndexedRandom};

use super::{
    shape::Shape,
    shares::{AT_THE_OPERATOR, ON_THE_WAY, SHARES},
    spelling::{Event, Facts, Fields, Spelling},
};
use crate::domain::StatusTable;

/// The messages of a run. Each is made anew from seed and number whenever it is needed, so that a run of
/// millions does not have to be kept.
pub(super) struct Traffic {
    base: u64,
    table: StatusTable,
}

/// A message, and all that Exotel ever says about it.
#[derive(Debug, PartialEq)]
pub(super) struct SimulatedMessage {
    /// Its Sid: 32 hexadecimal digits.
    pub sid: String,
    /// How its callbacks come.
    pub shape: Shape,
    /// What the sender wrote into the query of its StatusCallback URL, beside what all messages carry.
    pub labels: Vec<(&'static str, String)>,
    /// Its callbacks without repeats, in the order in which Exotel makes them; [`MOST_CALLBACKS`] at most.
    pub callbacks: Vec<Fields>,
}

/// All intermediate ones, the operator's, and the final one.
pub(super) const MOST_CALLBACKS: usize = ON_THE_WAY.len() + 2;

/// The sender's own texts, with all that encoders stumble over.
const AWKWARD: [&str; 12] = [
    "a=b&c=d%26+plus",
    "Größe 42 & <b>bold</b>",
    "\"quoted\" \\ 'single'",
    "नमस्ते 🙏",
    "line one\nline two\r\n",
    "null",
    "{\"order\":7,\"tags\":[]}",
    "  spaces around  ",
    "['wrapped']",
    "a NUL \0 within",
    ";,|\t#?/",
    "0",
];

const CAMPAIGNS: [&str; 4] = ["diwali", "new-year & co", "otp", "दिवाली"];

impl Traffic {
    /// Other seeds make other messages.
    pub fn new(seed: u64) -> Self {
        // Hashed, since neighbouring seeds would share all messages but one otherwise.
        Self { base: SmallRng::seed_from_u64(seed).next_u64(), table: StatusTable::default() }
    }

    /// The message of a number.
    pub fn message(&self, number: u32) -> SimulatedMessage {
        let mut rng = SmallRng::seed_from_u64(self.base.wrapping_add(number.into()));
        let codes = codes(&mut rng);
        let facts = Facts {
            sid: format!("{:032x}", rng.random::<u128>()),
            national: format!("9812{:06}", rng.random_range(0..1_000_000)),
            units: *[1, 1, 1, 1, 2, 2, 3, 10].choose(&mut rng).expect("there are some"),
            custom_field: custom_field(number, &mut rng),
        };
        let (spelling, mut at) =
            (Spelling::draw(&mut rng), first_of_all() + TimeDelta::seconds(number.into()));
        let mut said = |code| {
            at += TimeDelta::seconds(rng.random_range(1..20));
            let code = self.table.by_code(code).expect("the shares name codes of the table");
            spelling.fields(&facts, Event { code, at }, &mut rng)
        };
        let callbacks = codes.into_iter().map(&mut said).collect();
        let (shape, labels) = (Shape::draw(&mut rng), labels(&mut rng));
        SimulatedMessage { sid: facts.sid, shape, labels, callbacks }
    }
}

/// What becomes of a message, callback by callback.
fn codes(rng: &mut SmallRng) -> Vec<i32> {
    let &(last, _) = SHARES.choose_weighted(rng, |&(_, share)| share).expect("the shares are positive");
    if ON_THE_WAY.contains(&last) {
        return vec![last];
    }
    let mut codes = vec![last];
    if last != AT_THE_OPERATOR && rng.random_bool(0.04) {
        codes.insert(0, AT_THE_OPERATOR);
    }
    if rng.random_bool(0.12) {
        let late = rng.random_bool(0.3);
        let steps = ON_THE_WAY.into_iter().filter(|_| rng.random_bool(0.5));
        let at = if late { codes.len() } else { 0 };
        codes.splice(at..at, steps);
    }
    codes
}

fn custom_field(number: u32, rng: &mut SmallRng) -> Option<String> {
    match rng.random_range(0..10) {
        0..2 => Some(format!("order-{number}")),
        2..4 => AWKWARD.choose(rng).map(|&text| text.to_owned()),
        _ => None,
    }
}

fn labels(rng: &mut SmallRng) -> Vec<(&'static str, String)> {
    let mut labels = Vec::new();
    if rng.random_bool(0.5) {
        labels.push(("campaign_id", (*CAMPAIGNS.choose(rng).expect("there are some")).to_owned()));
    }
    if rng.random_bool(0.2) {
        labels.push(("batch", rng.random_range(1..100).to_string()));
    }
    labels
}

/// The time of the first message. Fixed, so that a seed repeats a run to the byte.
fn first_of_all() -> NaiveDateTime {
    NaiveDate::from_ymd_opt(2026, 1, 15).expect("a date of the calendar").and_time(NaiveTime::MIN)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_seed_makes_the_same_messages_and_another_one_others() {
        let sids = |seed| {
            let traffic = Traffic::new(seed);
            (0..50).map(|number| traffic.message(number).sid).collect::<BTreeSet<_>>()
        };
        assert_eq!(Traffic::new(7).message(3), Traffic::new(7).message(3));
        assert_eq!(sids(1).len(), 50);
        assert!(sids(1).is_disjoint(&sids(2)), "neighbours share nothing");
        assert!(sids(1).iter().all(|sid| sid.len() == 32 && sid.bytes().all(|b| b.is_ascii_hexdigit())));
    }

    #[test]
    fn every_code_shape_and_dialect_comes_up_and_most_arrive() {
        let traffic = Traffic::new(1);
        let messages: Vec<_> = (0..20_000).map(|number| traffic.message(number)).collect();
        let said: Vec<String> = messages
            .iter()
            .flat_map(|message| &message.callbacks)
            .map(|fields| format!("{fields:?}"))
            .collect();
        for (code, _) in SHARES {
            assert!(said.iter().any(|fields| fields.contains(&code.to_string())), "{code}");
        }
        let share =
            |word: &str| said.iter().filter(|fields| fields.contains(word)).count() * 100 / said.len();
        assert!((55..80).contains(&share("20005")) && (5..20).contains(&share("20006")));
        let shapes: BTreeSet<_> = messages.iter().map(|message| format!("{:?}", message.shape)).collect();
        assert_eq!(shapes.len(), 4);
        for sign in ["sms_sid", "ExoStatusCode", "DateUpdated", "failed_dnd", "1970-01-01", "XXXXX", "Null"] {
            assert!(said.iter().any(|fields| fields.contains(sign)), "{sign}");
        }
        let most = messages.iter().map(|message| message.callbacks.len()).max();
        assert_eq!(most, Some(MOST_CALLBACKS));
    }
}
