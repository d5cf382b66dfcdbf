//! The log: one line per event on standard error, as text or as JSON.

use std::{io::IsTerminal, panic};

use opentelemetry_sdk::trace::SdkTracer;
use serde::{Deserialize, Serialize};
use tracing::{Subscriber, level_filters::LevelFilter};
use tracing_subscriber::{
    EnvFilter, fmt,
    layer::SubscriberExt,
    registry::LookupSpan,
    util::{SubscriberInitExt, TryInitError},
};

use super::{
    TelemetryError, Traces, TracingConfig,
    dependency_cap::{DependencyCap, OURS},
};

/// `[log]`: what is logged, and how.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LogConfig {
    /// Text or JSON.
    pub format: LogFormat,
    /// A level, or directives of tracing's `EnvFilter`. A level without a target applies to this crate only.
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
    /// The filter. A level without a target applies to this crate. Of dependencies only errors are logged unless a
    /// directive names them, since some log every malformed request. The phone number library is always silenced: it
    /// logs the numbers that it parses.
    ///
    /// # Errors
    /// [`TelemetryError::Filter`] when it cannot be parsed.
    pub fn filter(&self) -> Result<EnvFilter, TelemetryError> {
        let directives: Vec<_> = self.directives().collect();
        let mut filter = EnvFilter::try_new(directives.join(","))?;
        // Of several levels the last one applies. Without any, EnvFilter logs errors.
        let level = self.directives().filter_map(|directive| directive.parse().ok()).last();
        let level = level.unwrap_or(LevelFilter::ERROR);
        filter = filter.add_directive(level.min(LevelFilter::ERROR).into());
        if !self.directives().any(|directive| target_of(directive) == OURS) {
            filter = filter.add_directive(format!("{OURS}={level}").parse()?);
        }
        Ok(filter.add_directive("rlibphonenumber=off".parse()?))
    }

    /// The targets that the directives name.
    fn targets(&self) -> Vec<String> {
        let targets = self.directives().filter(|directive| directive.parse::<LevelFilter>().is_err());
        targets.map(|directive| target_of(directive).to_owned()).filter(|target| !target.is_empty()).collect()
    }

    fn directives(&self) -> impl Iterator<Item = &str> {
        self.filter.split(',').map(str::trim).filter(|directive| !directive.is_empty())
    }
}

fn target_of(directive: &str) -> &str {
    directive.split(['=', '[']).next().unwrap_or_default()
}

/// Sets up logging for the whole process, and traces where a collector is configured. The caller has to call
/// [`Traces::finish`] at the end.
///
/// # Errors
/// [`TelemetryError`] when the filter cannot be parsed, or the collector cannot be used.
pub fn init(config: &LogConfig, tracing: &TracingConfig) -> Result<Traces, TelemetryError> {
    let filter = config.filter()?;
    let traces = tracing.start()?;
    let lines = fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let cap = DependencyCap::new(config.targets());
    let set_up = match config.format {
        LogFormat::Pretty => {
            let lines = lines.with_ansi(std::io::stderr().is_terminal()).with_target(false);
            subscribe(lines.finish().with(cap), traces.tracer())
        }
        LogFormat::Json => {
            let lines = lines.json().flatten_event(true).with_span_list(false).finish();
            subscribe(lines.with(cap), traces.tracer())
        }
    };
    set_up.map_err(|_| TelemetryError::SetUpTwice)?;
    // A panic's message may hold a client's data, so only its place is logged.
    panic::set_hook(Box::new(|info| {
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "panic");
    }));
    Ok(traces)
}

/// Installs the subscriber. Without a tracer there is no layer for traces, so spans cost nothing more.
fn subscribe(
    lines: impl Subscriber + for<'s> LookupSpan<'s> + Send + Sync,
    tracer: Option<SdkTracer>,
) -> Result<(), TryInitError> {
    let Some(tracer) = tracer else { return lines.try_init() };
    let spans = tracing_opentelemetry::layer()
        .with_tracer(tracer)
        .with_location(false)
        .with_threads(false)
        .with_tracked_inactivity(false);
    lines.with(spans).try_init()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(filter: &str) -> String {
        let config = LogConfig { format: LogFormat::Pretty, filter: filter.to_owned() };
        let mut directives: Vec<_> =
            config.filter().unwrap().to_string().split(',').map(str::to_owned).collect();
        directives.retain(|directive| directive != "rlibphonenumber=off");
        directives.sort();
        directives.join(",")
    }

    #[test]
    fn a_level_is_for_this_crate_and_dependencies_are_named() {
        for (configured, in_force) in [
            ("info", "dlr_receiver=info,error"),
            ("debug", "dlr_receiver=debug,error"),
            (" TRACE ", "dlr_receiver=trace,error"),
            ("off", "dlr_receiver=off,off"),
            ("", "dlr_receiver=error,error"),
            ("warn,dlr_receiver=info", "dlr_receiver=info,error"),
            ("info,sqlx=debug", "dlr_receiver=info,error,sqlx=debug"),
            ("h2=warn", "dlr_receiver=error,error,h2=warn"),
            ("info,dlr_receiver::http=debug", "dlr_receiver::http=debug,dlr_receiver=info,error"),
        ] {
            assert_eq!(filter(configured), in_force, "{configured:?}");
        }
        let config =
            LogConfig { format: LogFormat::Json, filter: "info,h2=warn, sqlx::query,hyper[a]=debug".into() };
        assert_eq!(config.targets(), ["h2", "sqlx::query", "hyper"]);
    }
}
