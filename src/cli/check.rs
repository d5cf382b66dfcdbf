//! `check`: checks the whole store and the spool for damage.

use anyhow::bail;
use clap::Args;

use super::{progress::ProgressDisplay, say};
use crate::{
    app,
    config::Config,
    storage::{Checked, SpoolCheck, Store, check_spool},
};

#[derive(Debug, Args)]
#[command(
    after_help = "It only reads, and may run beside the service. Exit code 0: everything is as it should be; 1: something \
                        is damaged, or the database does not answer. On Postgres it asks whether the schema is up to \
                        date; for damaged pages use Postgres' own means: data checksums and pg_amcheck."
)]
pub(super) struct CheckCommand {}

/// What was found wrong.
type Faults = Vec<String>;

impl CheckCommand {
    pub async fn run(self, config: &Config) -> anyhow::Result<()> {
        let mut found = Faults::new();
        // Both are checked, whatever is wrong with the other.
        if let Err(error) = check_store(config, &mut found).await {
            found.push(format!("store: {error:#}"));
        }
        if let Some(path) = config.spool.file() {
            describe_spool(&check_spool(path).await, &mut found)?;
        }
        match found.len() {
            0 => say("nothing is damaged"),
            count => {
                for line in &found {
                    say(line)?;
                }
                bail!(
                    "{count} of what was looked at is damaged or cannot be used: see \"A damaged file\" in docs/operations.md"
                )
            }
        }
    }
}

async fn check_store(config: &Config, found: &mut Faults) -> anyhow::Result<()> {
    let mut config = config.clone();
    // No client waits for this, and a complete check takes long, so the timeout is the longest one.
    config.database.timeout_ms = super::LONGEST_MS;
    app::check_exists(&config)?;
    let store = app::open(&config)?;
    store.check().await?;
    let checked = check_parts(&store, found).await;
    store.close().await;
    checked?;
    if store.kind() == "postgres" {
        say("store: Postgres; damaged pages are found by its data checksums and by pg_amcheck, not here")?;
    }
    Ok(())
}

async fn check_parts(store: &Store, found: &mut Faults) -> anyhow::Result<()> {
    let parts = store.parts().await?;
    let mut progress = ProgressDisplay::new();
    let mut checked = Vec::new();
    for (done, part) in parts.iter().enumerate() {
        progress.show("store", done, parts.len());
        checked.push(store.check_part(part).await);
    }
    progress.show("store", parts.len(), parts.len());
    progress.end();
    for part in checked {
        match part? {
            Checked { what, wrong: None } => say(&format!("store: {what}: as it should be"))?,
            Checked { what, wrong: Some(wrong) } => found.push(format!("store: {what}: {wrong}")),
        }
    }
    Ok(())
}

fn describe_spool(spool: &SpoolCheck, found: &mut Faults) -> anyhow::Result<()> {
    match (&spool.wrong, spool.exists) {
        (Some(wrong), _) => found.push(format!(
            "spool: {wrong}; it may hold callbacks that were acknowledged: do not delete it. A start sets it aside and \
             drains what can be read"
        )),
        (None, false) => say("spool: there is none yet")?,
        (None, true) => say(&format!("spool: as it should be; {} callbacks wait", spool.waiting))?,
    }
    for file in &spool.set_aside {
        let path = file.path.display();
        let state = match (file.is_drained, file.findings) {
            (true, Some(findings)) => match findings.missing {
                Some(missing) => {
                    format!("drained: {} callbacks; up to {missing} are missing", findings.readable)
                }
                None => format!("drained: {} callbacks; how many are missing is unknown", findings.readable),
            },
            _ => "not drained yet: the service does so".to_owned(),
        };
        say(&format!("spool: {path} was damaged and set aside; {state}"))?;
    }
    Ok(())
}
