//! The command line.

mod callback_url;
mod check;
mod healthcheck;
mod key;
mod progress;
mod purge;
mod serve;
mod simulate;

use std::{io::Write, path::PathBuf};

use clap::{Parser, Subcommand};

use crate::{
    app,
    config::{self, Config, Sources},
};

/// Receives Exotel's SMS delivery callbacks, keeps them durably and answers questions about them.
#[derive(Debug, Parser)]
#[command(name = "dlr-receiver", version, about)]
pub struct Cli {
    /// A configuration file, laid over the defaults and the profile.
    #[arg(long, global = true, value_name = "FILE", env = "DLR_CONFIG")]
    config: Option<PathBuf>,
    /// A profile: `production`, or a file config/NAME.toml.
    #[arg(long, global = true, value_name = "NAME", env = "DLR_PROFILE")]
    profile: Option<String>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs the service; what happens without any command.
    Serve,
    /// Brings the database's schema up to date, and ends.
    Migrate,
    /// Prints the configuration in force, secrets redacted.
    CheckConfig,
    /// Prints the URL to give to Exotel as StatusCallback.
    CallbackUrl(callback_url::CallbackUrl),
    /// API keys.
    #[command(subcommand)]
    Key(key::Key),
    /// Deletes what is older than the configuration says it is kept.
    Purge(purge::PurgeCommand),
    /// Checks the whole store and the spool for damage.
    Check(check::CheckCommand),
    /// Checks that the service on this machine answers `/livez`; for the container's HEALTHCHECK.
    Healthcheck,
    /// Simulates Exotel against a running receiver, then reads back what it has acknowledged.
    Simulate(Box<simulate::Simulate>),
}

impl Cli {
    /// Does what the command line says.
    ///
    /// # Errors
    /// Says what failed, and what to set.
    pub async fn run(self) -> anyhow::Result<()> {
        let load = || config::load(&Sources::from_process(self.profile.clone(), self.config.clone()));
        match self.command.unwrap_or(Command::Serve) {
            Command::Serve => serve::serve(&load()?).await,
            Command::Migrate => migrate(&load()?).await,
            Command::CheckConfig => check_config(&load()?),
            Command::CallbackUrl(command) => command.run(&load()?),
            Command::Key(command) => command.run(),
            Command::Purge(command) => command.run(&load()?).await,
            Command::Check(command) => command.run(&load()?).await,
            Command::Healthcheck => healthcheck::healthcheck(&load()?).await,
            Command::Simulate(command) => command.run(&load()?).await,
        }
    }
}

/// The greatest value of `database.timeout_ms`, in milliseconds.
const LONGEST_MS: std::num::NonZeroU64 = std::num::NonZeroU64::new(600_000).expect("it is not 0");

async fn migrate(config: &Config) -> anyhow::Result<()> {
    let store = app::open(config)?;
    app::migrate(&store).await?;
    store.close().await;
    say(&format!("the {} database is up to date", store.kind()))
}

fn check_config(config: &Config) -> anyhow::Result<()> {
    say(toml::to_string(config)?.trim_end())?;
    config.check_exposure()?;
    Ok(())
}

/// Prints a line for the user; a closed pipe is an error, not a panic.
fn say(line: &str) -> anyhow::Result<()> {
    writeln!(std::io::stdout(), "{line}")?;
    Ok(())
}

/// Prints an error and its causes, each of them once.
pub fn complain(error: &anyhow::Error) {
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if !text.contains(&cause) {
            text += if text.is_empty() { "" } else { ": " };
            text += &cause;
        }
    }
    // If standard error is closed, there is nowhere to report that.
    let _ = writeln!(std::io::stderr(), "dlr-receiver: {text}");
}
