//! Keeps dependencies from flooding the log. Some write a line for whatever a stranger sends, and an error's level
//! says nothing of how often it comes.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use tracing::{Event, Subscriber, callsite::Identifier};
use tracing_subscriber::layer::{Context, Layer};

/// The target of this crate's own lines.
pub(super) const OURS: &str = "dlr_receiver";

/// How many lines one place in a dependency's code may write in [`WINDOW`].
const MOST: u32 = 10;
const WINDOW: Duration = Duration::from_mins(1);

/// Lets each place in a dependency's code write a few lines a minute. Our own lines pass, and so do those of
/// dependencies that `log.filter` names: whoever names one wants to see all of it.
#[derive(Debug)]
pub(super) struct DependencyCap {
    named: Vec<String>,
    written: Mutex<HashMap<Identifier, LineCount>>,
}

/// What one place has written since a time.
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

    /// Whether a place may write one more line.
    fn may_write(&self, place: Identifier, now: Instant) -> bool {
        // As many places as there are in the code.
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
