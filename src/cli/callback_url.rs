//! `callback-url`: the URL to give to Exotel.

use std::time::Duration;

use anyhow::{Context, bail, ensure};
use chrono::TimeDelta;
use clap::Args;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::say;
use crate::{
    access::{AccountConfig, Permit},
    config::Config,
    domain::{Clock, Recipient},
    exotel::{RESERVED_QUERY_KEYS, SIGNED_RECIPIENT},
};

/// The characters that a URL may hold unencoded, apart from letters and digits.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

#[derive(Debug, Args)]
pub(super) struct CallbackUrl {
    /// The account; may be left out where there is only one.
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
    /// A label that every message sent with this URL carries; may be repeated.
    #[arg(long, value_name = "KEY=VALUE")]
    label: Vec<String>,
    /// The recipient of a signed URL, which needs no token and is valid for this recipient only.
    #[arg(long, value_name = "NUMBER")]
    to: Option<String>,
    /// How long a signed URL is valid.
    #[arg(long, value_name = "DURATION", default_value = "48h", requires = "to", value_parser = humantime::parse_duration)]
    expires: Duration,
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
        let labels = self.label.iter().map(|label| self.encoded_label(label));
        let labels: Vec<String> = labels.collect::<Result<_, _>>()?;
        let account = &config.accounts[name];
        let (token, signed) = match &self.to {
            Some(to) => (String::new(), vec![self.signed(name, account, to)?]),
            None => (token(name, account)?, Vec::new()),
        };
        let query = [signed, labels].concat().join("&");
        let mark = if query.is_empty() { "" } else { "?" };
        // Whole, as Exotel needs it: like the token, a user and a password in http.public_url are printed here only.
        say(&format!("{}{token}{mark}{query}", without_token(&config.public_url(), name)))
    }

    /// The parameters of a URL that is signed for `to`.
    fn signed(&self, name: &str, account: &AccountConfig, to: &str) -> anyhow::Result<String> {
        let Some(secret) = account.signing_secrets.0.first() else {
            bail!(
                "no secret signs URLs of {name}: set accounts.{name}.signing_secrets \
                 (DLR__ACCOUNTS__{}__SIGNING_SECRETS)",
                name.to_uppercase()
            );
        };
        let Some(to) = Recipient::read(to, account.country).e164 else {
            bail!(
                "--to: this cannot be read as a number; write it with its country code, as in +919800000000"
            );
        };
        let until = TimeDelta::from_std(self.expires)
            .ok()
            .and_then(|time| Clock::System.now().checked_add_signed(time));
        let exp = until.context("--expires: this is longer than anybody waits")?.timestamp().to_string();
        let sig = Permit { account: name, to: &to, exp: &exp }.sign(secret);
        Ok(format!("to={}&exp={exp}&sig={sig}", encode(&to)))
    }

    fn encoded_label(&self, label: &str) -> anyhow::Result<String> {
        let Some((key, value)) = label.split_once('=') else { bail!("--label {label}: write KEY=VALUE") };
        let own = RESERVED_QUERY_KEYS.contains(&key) || self.to.is_some() && key == SIGNED_RECIPIENT;
        ensure!(!own, "--label {label}: `{key}` is the service's own");
        Ok(format!("{}={}", encode(key), encode(value)))
    }
}

/// The token of an account, as a part of a path.
fn token(name: &str, account: &AccountConfig) -> anyhow::Result<String> {
    let token = account.callback_tokens.0.first();
    ensure!(
        token.is_some() || account.signing_secrets.0.is_empty(),
        "accounts.{name} has no callback_tokens, only signing_secrets: say with --to whom a URL is for"
    );
    Ok(token.map(|token| format!("/{}", encode(token.reveal()))).unwrap_or_default())
}

/// The URL of an account but for its token.
pub(super) fn without_token(public_url: &str, account: &str) -> String {
    format!("{public_url}/callbacks/exotel/{account}")
}

fn encode(text: &str) -> impl std::fmt::Display {
    utf8_percent_encode(text, UNRESERVED)
}
