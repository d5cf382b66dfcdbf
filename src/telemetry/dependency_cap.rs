//! Limits the log lines of dependencies. Some log every malformed request, at level error, so that any client could
//! fill the log.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use tracing::{Event, Subscriber, callsite::Identifier};
use tracing_subscriber::layer::{Context, Layer};

/// The log target of this crate.
pub(super) const OURS: &str = "dlr_receiver";

/// The most lines of one call site in a dependency's code per [`WINDOW`].
const MOST: u32 = 10;
const WINDOW: Duration = Duration::from_mins(1);

/// Limits each call site in a dependency's code to [`MOST`] lines a minute. This crate's lines are not limited, nor
/// are those of dependencies that `log.filter` names.
#[derive(Debug)]
pub(super) struct DependencyCap {
    named: Vec<String>,
    written: Mutex<HashMap<Identifier, LineCount>>,
}

/// The lines of one call site since the beginning of its window.
#[derive(Debug)]
struct LineCount {
    since: Instant,
    lines: u32,
}

impl DependencyCap {
    pub fn new(named: Vec<String>) -> Self {
        Self { named, written: Mutex::default() }
    }

    fn is_capped(&self, target: &str) -> bool {
        !target.starts_with(OURS) && !self.named.iter().any(|named| target.starts_with(named.as_str()))
    }

    /// Counts a line of a call site, and returns whether it may be written.
    fn may_write(&self, place: Identifier, now: Instant) -> bool {
        // Bounded by the number of call sites in the code.
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        let written = written.entry(place).or_insert(LineCount { since: now, lines: 0 });
        if now.duration_since(written.since) >= WINDOW {
            *written = LineCount { since: now, lines: 0 };
        }
        written.lines = written.lines.saturating_add(1);
        written.lines <= MOST
    }
}

impl<S: Subscriber> Layer<S> for DependencyCap {
    fn event_enabled(&self, event: &Event<'_>, _: Context<'_, S>) -> bool {
        let metadata = event.metadata();
        !self.is_capped(metadata.target()) || self.may_write(metadata.callsite(), Instant::now())
    }
}

#[cfg(test)]
mod tests {
    use std::{io, sync::Arc};

    use tracing_subscriber::{fmt, layer::SubscriberExt};

    use super::*;

    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Log {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_dependency_writes_few_lines_unless_it_is_named() {
        let log = Log::default();
        let writer = log.clone();
        let lines = fmt().with_writer(move || writer.clone()).finish();
        tracing::subscriber::with_default(lines.with(DependencyCap::new(vec!["named".into()])), || {
            for _ in 0..100 {
                tracing::warn!(target: "h2::proto", "one place");
                tracing::error!(target: "h2::proto", "another place");
                tracing::warn!(target: "named::deep", "a named one");
                tracing::info!("ours");
            }
        });
        let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
        let count = |line: &str| log.matches(line).count();
        assert_eq!(["one place", "another place", "a named one", "ours"].map(count), [10, 10, 100, 100]);
    }

    #[test]
    fn a_minute_later_it_may_write_again() {
        let cap = DependencyCap::new(Vec::new());
        // Only a span that a subscriber wants has metadata.
        let place = tracing::subscriber::with_default(fmt().finish(), || {
            tracing::info_span!("place").metadata().unwrap().callsite()
        });
        let now = Instant::now();
        let written = |at: Instant| (0..20).filter(|_| cap.may_write(place.clone(), at)).count();
        assert_eq!([written(now), written(now + WINDOW / 2), written(now + WINDOW)], [10, 0, 10]);
    }
}
