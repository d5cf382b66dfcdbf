//! The log: one line per event on standard error, for people or for machines. Imports nothing of ours.

use std::{io::IsTerminal, panic};

use serde::{Deserialize, Serialize};
use tracing_subscriber::{EnvFilter, fmt};

/// `[log]`: what is logged, and how.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LogConfig {
    /// For people or for machines.
    pub format: LogFormat,
    /// A level, or directives of tracing's `EnvFilter`.
    pub filter: String,
}

/// How a log line looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// Text, coloured on a terminal.
    Pretty,
    /// One JSON object a line.
    Json,
}

impl LogConfig {
    /// The filter, silent about the phone number library, which logs the numbers that it reads.
    ///
    /// # Errors
    /// [`TelemetryError`] where it is not understood.
    pub fn filter(&self) -> Result<EnvFilter, TelemetryError> {
        Ok(EnvFilter::try_new(&self.filter)?.add_directive("rlibphonenumber=off".parse()?))
    }
}

/// Why logging could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The filter is no filter.
    #[error("log.filter: {0}")]
    Filter(#[from] tracing_subscriber::filter::ParseError),
    /// Somebody else logs already.
    #[error("logging is set up already")]
    SetUpTwice,
}

/// Sets up logging for the whole process.
///
/// # Errors
/// [`TelemetryError`] where the filter is not understood.
pub fn init(config: &LogConfig) -> Result<(), TelemetryError> {
    let filter = config.filter()?;
    let lines = fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let set_up = match config.format {
        LogFormat::Pretty => lines.with_ansi(std::io::stderr().is_terminal()).with_target(false).try_init(),
        LogFormat::Json => lines.json().flatten_event(true).with_span_list(false).try_init(),
    };
    set_up.map_err(|_| TelemetryError::SetUpTwice)?;
    // A panic's message may hold what a caller sent; its place is what we need.
    panic::set_hook(Box::new(|info| {
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "panic");
    }));
    Ok(())
}
