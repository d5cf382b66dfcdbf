//! The time of day, injected so that tests hold it still.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};

/// An instant in UTC. Everything the service keeps has microseconds at most, as Postgres does.
pub type Time = DateTime<Utc>;

/// Where the service reads the time.
#[derive(Clone, Debug, Default)]
pub enum Clock {
    /// The machine's clock.
    #[default]
    System,
    /// A clock that stands still until it is set: microseconds since the Unix epoch.
    Manual(Arc<AtomicI64>),
    /// The machine's clock, put right: so many microseconds it is known to be ahead, or behind where negative.
    Corrected(Arc<AtomicI64>),
}

impl Clock {
    /// Now, to the microsecond.
    #[must_use]
    pub fn now(&self) -> Time {
        match self {
            Self::System => Utc::now().trunc_subsecs(6),
            Self::Corrected(ahead) => {
                let (now, ahead) = (Utc::now(), TimeDelta::microseconds(ahead.load(Ordering::Relaxed)));
                now.checked_sub_signed(ahead).unwrap_or(now).trunc_subsecs(6)
            }
            Self::Manual(micros) => {
                DateTime::from_timestamp_micros(micros.load(Ordering::Relaxed)).unwrap_or_default()
            }
        }
    }

    /// The clock as it is by itself.
    #[must_use]
    pub fn uncorrected(&self) -> Self {
        match self {
            Self::System | Self::Corrected(_) => Self::System,
            Self::Manual(micros) => Self::Manual(Arc::clone(micros)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_clock_stands_still_and_the_system_clock_keeps_whole_microseconds() {
        let clock = Clock::Manual(Arc::new(AtomicI64::new(1_500_000)));
        assert_eq!(clock.now().to_rfc3339(), "1970-01-01T00:00:01.500+00:00");
        assert_eq!(clock.now(), clock.now());
        assert_eq!(Clock::System.now().timestamp_subsec_nanos() % 1000, 0);
    }

    #[test]
    fn a_clock_that_is_known_to_be_wrong_is_put_right() {
        for hours in [0, 24 * 365 * 70, -24 * 365 * 20] {
            let ahead = TimeDelta::hours(hours);
            let clock = Clock::Corrected(Arc::new(AtomicI64::new(ahead.num_microseconds().unwrap())));
            let left = clock.now() - (Clock::System.now() - ahead);
            assert!(left.abs() < TimeDelta::minutes(1), "{left}");
            assert!((clock.uncorrected().now() - Clock::System.now()).abs() < TimeDelta::minutes(1));
        }
        let beyond = Clock::Corrected(Arc::new(AtomicI64::new(i64::MIN)));
        assert!(beyond.now() > Clock::System.now() - TimeDelta::minutes(1), "beyond all years: as it is");
    }
}
