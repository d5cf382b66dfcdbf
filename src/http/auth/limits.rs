//! How often one caller may ask, and be refused. What it takes to remember callers does not grow.

use std::{
    fmt,
    hash::{BuildHasher, Hash, RandomState},
    marker::PhantomData,
    net::{IpAddr, Ipv6Addr},
    num::NonZeroU32,
    time::Duration,
};

use governor::{
    NotUntil, Quota, RateLimiter,
    clock::{Clock, DefaultClock},
    nanos::Nanos,
    state::{InMemoryState, NotKeyed, StateStore},
};

use super::Caller;
use crate::http::{LimitsConfig, Problem};

/// How many states are kept for all callers together, eight bytes each. Two callers may have to share
/// one, and do so from then on only as long as the service runs.
const SLOTS: usize = 16_384;

/// States by the hash of a key: bounded whatever callers think up, and without a lock.
struct Slots<K> {
    states: Box<[InMemoryState]>,
    /// Nobody can choose keys that share a state.
    hasher: RandomState,
    keys: PhantomData<fn(K)>,
}

impl<K> Slots<K> {
    fn new() -> Self {
        let states = (0..SLOTS).map(|_| InMemoryState::default()).collect();
        Self { states, hasher: RandomState::new(), keys: PhantomData }
    }
}

impl<K> fmt::Debug for Slots<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Slots({})", self.states.len())
    }
}

impl<K: Hash> StateStore for Slots<K> {
    type Key = K;

    fn measure_and_replace<T, F, E>(&self, key: &K, decide: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let slots = self.states.len() as u64;
        let at = usize::try_from(self.hasher.hash_one(key) % slots).expect("there are fewer slots than that");
        self.states[at].measure_and_replace(&NotKeyed::NonKey, decide)
    }
}

/// A limit for each key.
#[derive(Debug)]
pub(super) struct Keyed<K: Hash>(RateLimiter<K, Slots<K>, DefaultClock>);

impl<K: Hash + Eq + Clone> Keyed<K> {
    pub fn new(quota: Quota) -> Self {
        Self(RateLimiter::new(quota, Slots::new(), DefaultClock::default()))
    }

    /// Counts one of `key`; if it is one too many, when the next may come, in seconds.
    pub fn count(&self, key: &K) -> Result<(), u64> {
        self.0.check_key(key).map_err(|early| retry_after_s(&early))
    }
}

/// Whole seconds, and never too few.
pub(in crate::http) fn retry_after_s(early: &NotUntil<<DefaultClock as Clock>::Instant>) -> u64 {
    let wait = early.wait_time_from(DefaultClock::default().now());
    (wait + Duration::from_millis(999)).as_secs().max(1)
}

/// The limits of one address.
#[derive(Debug)]
pub(in crate::http) struct RateLimits {
    questions: Option<Keyed<IpAddr>>,
    refusals: Option<Keyed<IpAddr>>,
}

impl RateLimits {
    pub fn new(config: LimitsConfig) -> Self {
        let limit = |limit: Option<NonZeroU32>| limit.map(|limit| Keyed::new(Quota::per_minute(limit)));
        Self {
            questions: limit(config.questions_per_address()),
            refusals: limit(config.refusals_per_address()),
        }
    }

    /// Counts a question; if it is one too many, when the next may come, in seconds.
    pub fn count_question(&self, caller: &Caller) -> Result<(), u64> {
        count(self.questions.as_ref(), caller)
    }

    /// Counts a refusal of a caller who is not known; if it is one too many, when the next may come, in
    /// seconds. It is counted after secrets were compared: who has a good one is let in, however many
    /// others at the same address do not.
    pub fn count_refusal(&self, caller: &Caller) -> Result<(), u64> {
        count(self.refusals.as_ref(), caller)
    }

    /// The same for who is told by a problem: `problem`, or that it is one too many.
    pub fn refuse(&self, caller: &Caller, problem: Problem) -> Problem {
        match self.count_refusal(caller) {
            Ok(()) => problem,
            Err(retry_after_s) => {
                Problem::too_many("too many refused requests from this address", retry_after_s)
            }
        }
    }
}

fn count(limit: Option<&Keyed<IpAddr>>, caller: &Caller) -> Result<(), u64> {
    limit.map_or(Ok(()), |limit| limit.count(&counted(caller.counted())))
}

/// One caller has a whole /64 of IPv6.
fn counted(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)).into(),
        IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn one_caller_has_a_whole_network_of_ipv6_and_one_address_of_ipv4() {
        assert_eq!(counted(address("2001:db8:1:2:3:4:5:6")), address("2001:db8:1:2::"));
        assert_eq!(counted(address("192.0.2.1")), address("192.0.2.1"));
    }

    #[test]
    fn each_address_is_counted_for_itself_and_told_when_to_come_back() {
        let limit = Keyed::new(Quota::per_minute(NonZeroU32::new(3).unwrap()));
        let own = address("192.0.2.1");
        assert_eq!([(); 3].map(|()| limit.count(&own)), [Ok(()); 3]);
        let wait = limit.count(&own).unwrap_err();
        assert!((1..=20).contains(&wait), "{wait}");
        // Others may share its state, but not many of them.
        let others = (0..=255).filter(|last| limit.count(&IpAddr::from([198, 51, 100, *last])).is_err());
        assert!(others.count() < 32);
    }

    #[test]
    fn what_is_remembered_does_not_grow() {
        let limit = Keyed::new(Quota::per_minute(NonZeroU32::new(1).unwrap()));
        for address in 0..100_000_u32 {
            let _ = limit.count(&address);
        }
        assert_eq!(limit.0.into_state_store().states.len(), SLOTS);
    }
}
