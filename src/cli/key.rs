//! `key new`: creates an API key and prints it once.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use clap::Subcommand;
use strum::VariantNames;

use super::say;
use crate::http::{API_KEY_PREFIX, KeyDigest, Scope};

#[derive(Debug, Subcommand)]
pub(super) enum Key {
    /// Makes a key, prints it once, and the lines for the configuration.
    New {
        /// Whose it is.
        name: String,
        /// What it may do; several are separated by commas.
        #[arg(long, value_delimiter = ',', default_value = "read", value_parser = Scope::VARIANTS.to_vec())]
        scopes: Vec<String>,
    },
}

impl Key {
    pub fn run(self) -> anyhow::Result<()> {
        let Self::New { name, scopes } = self;
        let mut random = [0; 32];
        getrandom::fill(&mut random)?;
        let key = format!("{API_KEY_PREFIX}{}", BASE64_URL_SAFE_NO_PAD.encode(random));
        let scopes: Vec<String> = scopes.iter().map(|scope| format!("\"{scope}\"")).collect();
        say(&format!(
            "The key, shown this once: {key}\n\nFor the configuration:\n\n\
             [[auth.keys]]\nname = {}\nsha256 = \"{}\"\nscopes = [{}]",
            toml::Value::String(name),
            KeyDigest::of(&key),
            scopes.join(", ")
        ))
    }
}
