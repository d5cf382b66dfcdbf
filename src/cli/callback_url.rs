//! `callback-url`: the URL to give to Exotel.

use anyhow::{bail, ensure};
use clap::Args;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::say;
use crate::{config::Config, exotel::RESERVED_QUERY_KEYS};

/// What a URL may hold unencoded beside letters and digits.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

#[derive(Debug, Args)]
pub(super) struct CallbackUrl {
    /// The account; may be left out where there is only one.
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
    /// A label that every message sent with this URL carries; may be repeated.
    #[arg(long, value_name = "KEY=VALUE")]
    label: Vec<String>,
}

impl CallbackUrl {
    pub fn run(self, config: &Config) -> anyhow::Result<()> {
        let names: Vec<&str> = config.accounts.keys().map(String::as_str).collect();
        let name = match (&self.account, names.as_slice()) {
            (Some(name), names) if names.contains(&name.as_str()) => name.as_str(),
            (Some(name), names) => bail!("there is no account `{name}`; configured: {}", names.join(", ")),
            (None, [only]) => only,
            (None, names) => bail!("say which account with --account: {}", names.join(", ")),
        };
        let token = config.accounts[name].callback_tokens.0.first();
        let token = token.map(|token| format!("/{}", encode(token.reveal()))).unwrap_or_default();
        let labels: Vec<String> =
            self.label.iter().map(|label| encoded_label(label)).collect::<Result<_, _>>()?;
        let query = if labels.is_empty() { String::new() } else { format!("?{}", labels.join("&")) };
        say(&format!("{}{token}{query}", without_token(config, name)))
    }
}

/// The URL of an account but for its token.
pub(super) fn without_token(config: &Config, account: &str) -> String {
    format!("{}/callbacks/exotel/{account}", config.public_url())
}

fn encoded_label(label: &str) -> anyhow::Result<String> {
    let Some((key, value)) = label.split_once('=') else { bail!("--label {label}: write KEY=VALUE") };
    ensure!(!RESERVED_QUERY_KEYS.contains(&key), "--label {label}: `{key}` is the service's own");
    Ok(format!("{}={}", encode(key), encode(value)))
}

fn encode(text: &str) -> impl std::fmt::Display {
    utf8_percent_encode(text, UNRESERVED)
}
