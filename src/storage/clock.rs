//! The database's clock. Everything that is deleted for its age is judged by it, since replicas' clocks differ and one that
//! runs ahead must delete nothing. This module also decides whether the clocks can be trusted with that.

use std::time::Instant;

use chrono::{SecondsFormat, TimeDelta};

use crate::domain::{Clock, Time};
use crate::storage::{Store, StoreError, on_readers, on_writer, time::StoredTime};

/// The largest difference between the process's clock and the database's.
const MOST_SKEW: TimeDelta = TimeDelta::minutes(1);
/// How far the database's clock may be ahead of the time at which it was last seen: longer than a service is normally stopped,
/// and short beside any sensible retention.
const MOST_REST: TimeDelta = TimeDelta::days(1);
/// How old the stored time of the last look may become before it is updated.
const SEEN_LATELY: TimeDelta = TimeDelta::minutes(10);

/// Stores when the clock was seen; never an earlier time than is stored.
pub(super) const SEE: &str = "INSERT INTO clock (id, seen_at) VALUES (1, $1) \
     ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at WHERE clock.seen_at < excluded.seen_at";
/// Stores it, whatever is stored.
pub(super) const TRUST: &str = "INSERT INTO clock (id, seen_at) VALUES (1, $1) \
     ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at";

/// The database's time, and when its clock was last seen.
#[derive(Clone, Copy, Debug)]
pub(super) struct DatabaseTime {
    now: Time,
    /// When it was last seen; none where that is not kept.
    seen: Option<Time>,
}

impl DatabaseTime {
    /// The database's time; where it has leapt ahead, the time at which it was last seen, which is safe to delete by.
    pub fn without_leap(self) -> Time {
        self.seen.map_or(self.now, |seen| self.now.min(seen + MOST_REST))
    }
}

/// Both clocks at one moment.
#[derive(Clone, Copy, Debug)]
pub struct Clocks {
    /// This process's.
    pub process: Time,
    /// The database's.
    pub database: Time,
    /// When the database's was last seen; none where that is not kept.
    pub seen: Option<Time>,
    /// How far the process's clock is ahead of the database's; negative where it is behind. The duration of the query is not
    /// counted.
    pub skew: TimeDelta,
}

/// Why nothing is deleted by these clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum ClockFault {
    /// The two differ, so one of them is wrong.
    #[error(
        "this machine's clock says {}, the database's clock says {}: with more than a minute between them nothing is \
         deleted; set the wrong clock right, by NTP for instance, and it goes on",
        told(.process), told(.database)
    )]
    ClocksDiffer {
        /// The process's.
        process: Time,
        /// The database's.
        database: Time,
    },
    /// The database's clock has leapt ahead, or no service has run for long.
    #[error(
        "the database's clock says {}, and was last seen at {}: after more than a day in between nothing is deleted; \
         if the clock is wrong, set it right; if it is right, since nothing ran for so long or a backup was \
         restored, say so with `dlr-receiver purge --trust-clock`",
        told(.database), told(.seen)
    )]
    ClockLeapt {
        /// What it says.
        database: Time,
        /// When it was last seen.
        seen: Time,
    },
}

impl ClockFault {
    /// The kind of fault, as one word for metrics.
    #[must_use]
    pub fn word(&self) -> &'static str {
        self.into()
    }
}

impl Clocks {
    /// The database's time, to delete by.
    ///
    /// # Errors
    /// [`ClockFault`] where the clocks cannot be trusted.
    pub fn checked(&self) -> Result<Time, ClockFault> {
        let &Self { process, database, seen, .. } = self;
        if self.skew.abs() > MOST_SKEW {
            return Err(ClockFault::ClocksDiffer { process, database });
        }
        match seen {
            Some(seen) if database - seen > MOST_REST => Err(ClockFault::ClockLeapt { database, seen }),
            _ => Ok(database),
        }
    }

    /// How far the process's clock is ahead, where it is certainly wrong: it differs much from the time at which the database's
    /// clock was last seen, and the database's clock does not. Zero where the two agree, or where either may be wrong.
    #[must_use]
    pub fn error_of_process(&self) -> TimeDelta {
        let is_far = |time: Time, seen: Time| (time - seen).abs() > MOST_REST;
        let is_certain = self.skew.abs() > MOST_SKEW
            && self.seen.is_some_and(|seen| is_far(self.process, seen) && !is_far(self.database, seen));
        if is_certain { self.skew } else { TimeDelta::zero() }
    }

    /// When the database's clock was last seen, if it is behind that time now: it was wrong then, or is wrong now.
    #[must_use]
    pub fn seen_ahead(&self) -> Option<Time> {
        self.seen.filter(|seen| *seen - self.database > MOST_SKEW)
    }
}

impl Store {
    /// With an injected clock in place of the database's, for tests. The system's clock changes nothing.
    #[must_use]
    pub fn timed_by(self, clock: &Clock) -> Self {
        Self { clock: clock.clone(), ..self }
    }

    /// Compares this process's uncorrected clock with the database's.
    ///
    /// # Errors
    /// [`StoreError`] where the database cannot be asked.
    pub async fn compare_clocks(&self, clock: &Clock) -> Result<Clocks, StoreError> {
        let (process, asked) = (clock.uncorrected().now(), Instant::now());
        let DatabaseTime { now: database, seen } = self.database_time().await?;
        let took = TimeDelta::from_std(asked.elapsed()).unwrap_or(TimeDelta::MAX);
        Ok(Clocks { process, database, seen, skew: skew(process, database, took) })
    }

    /// Stores when the database's clock was seen, unless it has leapt.
    ///
    /// # Errors
    /// [`StoreError`] where the database does not take it.
    pub async fn see(&self, clocks: &Clocks) -> Result<(), StoreError> {
        let rest = clocks.seen.map(|seen| clocks.database - seen);
        match rest {
            Some(rest) if (SEEN_LATELY..=MOST_REST).contains(&rest) => self.write_seen(SEE, clocks).await,
            _ => Ok(()),
        }
    }

    /// Trusts the database's clock as it is: an operator has checked it.
    ///
    /// # Errors
    /// [`StoreError`] where the database does not take it.
    pub async fn trust(&self, clocks: &Clocks) -> Result<(), StoreError> {
        self.write_seen(TRUST, clocks).await
    }

    async fn write_seen(&self, statement: &'static str, clocks: &Clocks) -> Result<(), StoreError> {
        on_writer!(self, sqlx::query(statement).bind(StoredTime(clocks.database))).map(|_| ())
    }

    pub(super) async fn database_time(&self) -> Result<DatabaseTime, StoreError> {
        if let Clock::Manual(_) = self.clock {
            return Ok(DatabaseTime { now: self.clock.now(), seen: None });
        }
        let read = self.statements().read_clock;
        let (now, seen): (StoredTime, Option<StoredTime>) =
            on_readers!(self, pool => sqlx::query_as(read).fetch_one(pool))?;
        Ok(DatabaseTime { now: now.into(), seen: seen.map(Time::from) })
    }
}

/// The difference of the clocks. The database read its clock at some moment during the query, so only what lies outside of the
/// query's duration is skew.
fn skew(process: Time, database: Time, took: TimeDelta) -> TimeDelta {
    let latest = process.checked_add_signed(took).unwrap_or(Time::MAX_UTC);
    if database < process {
        process - database
    } else if database > latest {
        latest - database
    } else {
        TimeDelta::zero()
    }
}

fn told(time: &Time) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> Time {
        text.parse().unwrap()
    }

    fn clocks(process: &str, database: &str, seen: &str) -> Clocks {
        let [process, database] = [process, database].map(time);
        let skew = skew(process, database, TimeDelta::zero());
        Clocks { process, database, seen: Some(time(seen)), skew }
    }

    #[test]
    fn what_an_answer_takes_is_no_skew() {
        let noon = time("2026-11-25T12:00:00Z");
        let of = |database: &str, took| skew(noon, time(database), TimeDelta::seconds(took)).num_seconds();
        assert_eq!(of("2026-11-25T12:00:00Z", 0), 0);
        assert_eq!(of("2026-11-25T12:02:00Z", 300), 0, "a slow answer");
        assert_eq!(of("2026-11-25T12:02:00Z", 30), -90);
        assert_eq!(of("2026-11-25T11:58:00Z", 300), 120, "it cannot have answered before it was asked");
    }

    #[test]
    fn clocks_that_differ_by_more_than_a_minute_are_not_trusted() {
        let at = "2026-11-25T12:00:00Z";
        for close in
            ["2026-11-25T11:59:00Z", "2026-11-25T11:59:01Z", "2026-11-25T12:00:59Z", "2026-11-25T12:01:00Z"]
        {
            assert_eq!(clocks(close, at, at).checked(), Ok(time(at)), "by the database's, {close}");
        }
        for apart in
            ["2099-09-01T00:00:00Z", "1999-01-01T00:00:00Z", "2026-11-25T12:01:01Z", "2026-11-25T11:58:59Z"]
        {
            let fault = clocks(apart, at, at).checked().unwrap_err();
            assert_eq!(fault, ClockFault::ClocksDiffer { process: time(apart), database: time(at) });
            let text = fault.to_string();
            assert!(
                text.contains(apart) && text.contains(at) && text.contains("set the wrong clock right"),
                "{text}"
            );
        }
    }

    #[test]
    fn a_clock_is_wrong_for_certain_where_the_other_two_times_agree() {
        let (at, lately) = ("2026-11-25T12:00:00Z", "2026-11-25T11:00:00Z");
        let error = |process, database, seen| clocks(process, database, seen).error_of_process();
        for wrong in ["2099-06-15T12:00:00Z", "1999-01-01T00:00:00Z", "2026-11-23T10:00:00Z"] {
            assert_eq!(error(wrong, at, lately), time(wrong) - time(at));
            assert_eq!(error(at, wrong, lately), TimeDelta::zero(), "it is the database's");
            assert_eq!(error(wrong, wrong, lately), TimeDelta::zero());
            assert_eq!(error(wrong, at, wrong), TimeDelta::zero());
        }
        assert_eq!(error("2026-11-25T14:00:00Z", at, lately), TimeDelta::zero(), "it may be either of them");
        assert_eq!(
            error("2026-11-26T11:00:30Z", "2026-11-26T10:59:50Z", lately),
            TimeDelta::zero(),
            "they agree"
        );
    }

    #[test]
    fn a_leap_of_the_databases_clock_is_not_trusted_and_a_step_back_is_told() {
        let at = "2026-11-25T12:00:00Z";
        for seen in ["2026-11-24T12:00:00Z", "2026-11-25T11:00:00Z", "2099-01-01T00:00:00Z"] {
            assert_eq!(clocks(at, at, seen).checked(), Ok(time(at)), "{seen}");
        }
        let leapt = clocks(at, at, "2026-11-24T11:59:59Z");
        let text = leapt.checked().unwrap_err().to_string();
        assert!(
            text.contains(at) && text.contains("2026-11-24T11:59:59Z") && text.contains("--trust-clock"),
            "{text}"
        );
        assert_eq!(clocks(at, at, "2026-11-25T12:00:59Z").seen_ahead(), None, "a small step back");
        assert_eq!(clocks(at, at, "2026-11-25T12:02:00Z").seen_ahead(), Some(time("2026-11-25T12:02:00Z")));
        let leapt = DatabaseTime { now: time("2099-01-01T00:00:00Z"), seen: Some(time(at)) };
        assert_eq!(leapt.without_leap(), time("2026-11-26T12:00:00Z"));
    }
}
