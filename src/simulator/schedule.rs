//! The order of the requests, and when the network fails.
//!
//! May import nothing else of this crate.

use std::ops::Range;

use rand::{RngExt, SeedableRng, rngs::SmallRng, seq::SliceRandom};

use super::{Plan, traffic::Traffic};

/// One request of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Item {
    /// A callback, by the number of its message and its place among that message's callbacks.
    Callback { message: u32, place: usize },
    /// A request that is not a callback.
    Garbage { number: u32 },
}

/// The requests of a run, in order.
pub(super) struct Schedule {
    /// Repeats of a callback are items of their own.
    pub items: Vec<Item>,
    /// The requests during the outage; empty without one.
    pub outage: Range<usize>,
}

impl Schedule {
    /// By turns: while a message is still waited for, the next ones begin.
    pub fn of(traffic: &Traffic, plan: &Plan) -> Self {
        let mut rng = SmallRng::seed_from_u64(!plan.seed);
        let mut timed = Vec::new();
        // In messages: how long after its predecessor a callback comes.
        let gap = f64::from(plan.messages / 20).clamp(1.0, 1_000.0);
        for message in 0..plan.messages {
            let mut time = f64::from(message);
            for place in 0..traffic.message(message).callbacks.len() {
                let item = Item::Callback { message, place };
                timed.push((time, item));
                if rng.random_bool(plan.duplicates) {
                    timed.push((time + rng.random::<f64>() * gap, item));
                }
                if rng.random_bool(plan.garbage) {
                    timed.push((time, Item::Garbage { number: message }));
                }
                time += rng.random::<f64>() * gap;
            }
        }
        timed.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        let mut items: Vec<Item> = timed.into_iter().map(|(_, item)| item).collect();
        if plan.shuffle {
            items.shuffle(&mut rng);
        }
        let outage = if plan.outage { items.len() * 45 / 100..items.len() * 55 / 100 } else { 0..0 };
        Self { items, outage }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAN: Plan =
        Plan { seed: 3, messages: 2_000, duplicates: 0.2, garbage: 0.05, shuffle: false, outage: true };

    fn schedule(plan: &Plan) -> Schedule {
        Schedule::of(&Traffic::new(plan.seed), plan)
    }

    fn is_garbage(item: &Item) -> bool {
        matches!(item, Item::Garbage { .. })
    }

    #[test]
    fn duplicates_and_garbage_have_their_shares_and_the_outage_is_the_middle_tenth() {
        let Schedule { items, outage } = schedule(&PLAN);
        let garbage = items.iter().filter(|item| is_garbage(item)).count();
        let mut distinct: Vec<String> =
            items.iter().filter(|item| !is_garbage(item)).map(|item| format!("{item:?}")).collect();
        let sent = distinct.len();
        distinct.sort();
        distinct.dedup();
        assert!((15..25).contains(&((sent - distinct.len()) * 100 / distinct.len())));
        assert!((3..8).contains(&(garbage * 100 / distinct.len())));
        assert!(outage.start > items.len() * 2 / 5 && outage.end < items.len() * 3 / 5);
        assert_eq!(schedule(&PLAN).items, items, "the seed repeats it");
    }

    #[test]
    fn callbacks_of_a_message_keep_their_order_unless_they_are_shuffled() {
        let in_order = |plan: &Plan| {
            let mut next = vec![0; 2_000];
            let Schedule { items, .. } = schedule(plan);
            items.into_iter().all(|item| match item {
                Item::Callback { message, place } => {
                    let next = &mut next[message as usize];
                    let fits = place <= *next;
                    *next = (*next).max(place + 1);
                    fits
                }
                Item::Garbage { .. } => true,
            })
        };
        assert!(in_order(&PLAN));
        assert!(!in_order(&Plan { shuffle: true, ..PLAN }));
    }
}
