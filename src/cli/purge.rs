//! `purge`: deletes what is older than its retention time, or counts it with `--dry-run`.

use std::fmt::Write;

use anyhow::bail;
use clap::Args;

use super::{LONGEST_MS, progress::ProgressDisplay, say};
use crate::{
    app,
    config::Config,
    domain::{Clock, Time},
    retention::{Purge, Purged, StepPace, Survey},
    storage::{ClockFault, Span, Store},
};

#[derive(Debug, Args)]
#[command(
    after_help = "How long things are kept is set by retention.* and rejected.*. The service does the same every \
                        hour by itself."
)]
pub(super) struct PurgeCommand {
    /// Only says what would be deleted.
    #[arg(long)]
    dry_run: bool,
    /// Without the pauses that leave callbacks what they need, and with all partitions that are missing; for a
    /// database that takes none now.
    #[arg(long)]
    full_speed: bool,
    /// Somebody has looked: the database's clock is right, though it is far from when it was last seen.
    #[arg(long, conflicts_with = "dry_run")]
    trust_clock: bool,
}

impl PurgeCommand {
    pub async fn run(self, config: &Config) -> anyhow::Result<()> {
        let mut config = config.clone();
        // No client waits for this, and counting takes long, so the timeout is the longest one.
        config.database.timeout_ms = LONGEST_MS;
        let store = app::open(&config)?;
        let done = self.run_on(&store, &config).await;
        store.close().await;
        done
    }

    async fn run_on(&self, store: &Store, config: &Config) -> anyhow::Result<()> {
        let (retention, now) = (app::how_long(config), self.now(store).await?);
        let survey = Survey::of(store, &retention, now).await?;
        if self.dry_run {
            return say(&described(&survey));
        }
        let pace = if self.full_speed { StepPace::full() } else { StepPace::gentle() };
        let mut purge = Purge::new(store.clone(), retention, pace, Clock::System);
        if self.full_speed {
            purge = purge.thorough();
        }
        let mut progress = ProgressDisplay::new();
        let mut show = |done: &Purged| show(&mut progress, done, &survey);
        let done = purge.run(&mut show).await;
        progress.end();
        let Some(Purged { messages, receipts, rejected, dropped, made }) = done? else {
            bail!(
                "another process purges now; try again once it is done, or in two minutes where it was killed"
            );
        };
        say(&format!(
            "deleted: {messages} messages, {receipts} receipts, {rejected} refused bodies; partitions dropped: \
             {dropped}, made: {made}"
        ))
    }
}

impl PurgeCommand {
    /// The time by the database's clock, where the clocks are trusted.
    async fn now(&self, store: &Store) -> anyhow::Result<Time> {
        let clocks = store.compare_clocks(&Clock::System).await?;
        match clocks.checked() {
            Err(ClockFault::ClockLeapt { .. }) if self.trust_clock => {}
            checked => _ = checked?,
        }
        if self.trust_clock {
            store.trust(&clocks).await?;
        }
        Ok(clocks.database)
    }
}

/// First receipts, then messages, then refused bodies: the order in which a purge goes.
fn show(progress: &mut ProgressDisplay, done: &Purged, survey: &Survey) {
    let parts = [
        ("partitions", done.dropped, survey.dropped.len() as u64),
        ("receipts", done.receipts, survey.receipts()),
        ("messages", done.messages, survey.messages.rows),
        ("rejected", done.rejected, survey.rejected.rows),
    ];
    let last = parts.iter().rev().find(|(_, done, _)| *done > 0);
    if let Some(&(what, done, of)) = last {
        let [done, of] = [done, of.max(done)].map(|rows| usize::try_from(rows).unwrap_or(usize::MAX));
        progress.show(what, done, of);
    }
}

fn described(survey: &Survey) -> String {
    let mut text = String::from("A purge would delete:\n");
    let mut line = |what: &str, span: &Span| {
        let time = |time: Option<Time>| time.map_or_else(|| "-".to_owned(), |time| time.to_rfc3339());
        let Span { rows, oldest, newest } = *span;
        // Writing to a `String` does not fail.
        let _ = writeln!(text, "  {rows:>12} {what:48} {} to {}", time(oldest), time(newest));
    };
    line("messages", &survey.messages);
    line("receipts, with their messages", &survey.with_messages);
    for (partition, span) in &survey.swept {
        line(&format!("receipts, out of {}", partition.name), span);
    }
    for (partition, span) in &survey.dropped {
        line(&format!("receipts, by dropping {}", partition.name), span);
    }
    line("refused bodies", &survey.rejected);
    for partition in &survey.made {
        let _ = writeln!(text, "and make the partition {}", partition.name);
    }
    text + "Nothing was deleted."
}
