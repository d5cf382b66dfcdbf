//! `simulate`: simulates Exotel against a receiver.

use std::{num::NonZeroU16, time::Duration};

use anyhow::bail;
use clap::{Args, value_parser};
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::watch,
};
use url::Url;

use super::{progress::ProgressDisplay, say};
use crate::{
    access::Secret,
    config::Config,
    domain::Account,
    simulator::{self, Manner, Plan, Receiver, Rules, Run, Target},
};

#[derive(Debug, Args)]
#[command(after_help = "Exits with 0 if messages were acknowledged and none of them is missing or wrong. \
                        SIGINT ends the sending; what was acknowledged by then is read back.")]
pub(super) struct Simulate {
    /// The callback URL, as `callback-url` prints it; or a base URL, for the account `default`.
    #[arg(long)]
    url: Url,
    /// The base URL for reading messages, if it differs from that of callbacks.
    #[arg(long, value_name = "URL")]
    questions_url: Option<Url>,
    /// An API key with the scope `read`.
    #[arg(long, value_name = "KEY", env = "DLR_API_KEY", hide_env_values = true)]
    api_key: Option<Secret>,
    /// How many messages; callbacks are about a third more.
    #[arg(long, value_name = "N", default_value = "1000", value_parser = value_parser!(u32).range(1..))]
    count: u32,
    /// Callbacks a second; 0: as fast as they are answered.
    #[arg(long, value_name = "N", default_value = "100", value_parser = value_parser!(u32).range(..=100_000))]
    rate: u32,
    /// The most concurrent requests.
    #[arg(long, value_name = "N", default_value = "64")]
    connections: NonZeroU16,
    /// The share of callbacks that come twice.
    #[arg(long, value_name = "SHARE", default_value = "0.1", value_parser = share)]
    duplicates: f64,
    /// The share of further requests that are no status callbacks, and must be refused.
    #[arg(long, value_name = "SHARE", default_value = "0.01", value_parser = share)]
    garbage: f64,
    /// All callbacks in random order; otherwise those of a message come in a likely one.
    #[arg(long)]
    shuffle: bool,
    /// The network fails for the middle tenth of the callbacks.
    ///
    /// Every second request breaks off in the middle of its body (a GET has none: it is the answer that
    /// is lost), the others 1 to 100 ms after their beginning or when the answer comes, unread. The
    /// receiver may have stored them or not. They come again as Exotel's retries, in a burst; while the
    /// outage lasts these are cut off as well, and after the third time they are lost.
    #[arg(long)]
    outage: bool,
    /// How long after a failure a callback comes for the second, and again for the third time.
    ///
    /// A failure is any answer but 200, or none within 5 s. Exotel waits 5 and 15 minutes.
    #[arg(long, value_name = "DELAYS", default_value = "1s,3s", value_parser = two_delays)]
    retry_after: TwoDelays,
    /// How long an acknowledged message may be on its way (in a spool) before it counts as missing.
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = duration)]
    wait: Duration,
    /// Repeats the run of this seed, byte for byte; random unless given.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
}

#[derive(Clone, Copy, Debug)]
struct TwoDelays([Duration; 2]);

fn two_delays(text: &str) -> Result<TwoDelays, String> {
    let Some((second, third)) = text.split_once(',') else { return Err("give two, such as 5m,15m".into()) };
    Ok(TwoDelays([duration(second.trim())?, duration(third.trim())?]))
}

fn duration(text: &str) -> Result<Duration, String> {
    let duration = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    if duration > Duration::from_hours(24) { Err("a day at most".into()) } else { Ok(duration) }
}

fn share(text: &str) -> Result<f64, String> {
    let share = text.parse().ok().filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| "a share is a number from 0 to 1".to_owned())
}

impl Simulate {
    pub async fn run(self, config: &Config) -> anyhow::Result<()> {
        let receiver = self.receiver(config)?;
        let seed = match self.seed {
            Some(seed) => seed,
            None => getrandom::u32()?.into(),
        };
        let (plan, manner) = self.plan(seed);
        let (url, account) = (receiver.target.callbacks_origin(), receiver.target.account());
        say(&format!("plays Exotel against {url}, account {account}; --seed {seed} repeats it"))?;
        let interrupts = signal(SignalKind::interrupt())?;
        let (stop, stopped) = watch::channel(false);
        let mut progress = ProgressDisplay::new();
        let mut show = |doing, done, of| progress.show(doing, done, of);
        let outcome = tokio::select! {
            outcome = simulator::run(receiver, Run { plan, manner }, stopped, &mut show) => outcome,
            () = twice(interrupts, &stop) => bail!("interrupted; nothing was read back"),
        };
        progress.end();
        let report = outcome?;
        say(&report.to_string())?;
        report.fault().map_or(Ok(()), |fault| bail!(fault))
    }

    /// The account is read as it is configured here, or else as one is by default.
    fn receiver(&self, config: &Config) -> anyhow::Result<Receiver> {
        let target = Target::new(&self.url, self.questions_url.as_ref())?;
        let name = target.account().clone();
        let account = config.accounts.get(name.as_str()).cloned().unwrap_or_default();
        let account = Account { name, time_zone: account.time_zone, country: account.country };
        let rules = Rules { account, table: config.status_table()? };
        let api_key = self.api_key.clone().filter(|key| !key.reveal().is_empty());
        Ok(Receiver { target, api_key, rules })
    }

    fn plan(&self, seed: u64) -> (Plan, Manner) {
        let Self { count: messages, duplicates, garbage, shuffle, outage, .. } = *self;
        let plan = Plan { seed, messages, duplicates, garbage, shuffle, outage };
        let TwoDelays(retry_after) = self.retry_after;
        let connections = usize::from(self.connections.get());
        (plan, Manner { rate: self.rate, connections, retry_after, wait: self.wait })
    }
}

/// The first interrupt stops the sending; ends with the second.
async fn twice(mut interrupts: Signal, stop: &watch::Sender<bool>) {
    interrupts.recv().await;
    stop.send_replace(true);
    interrupts.recv().await;
}
