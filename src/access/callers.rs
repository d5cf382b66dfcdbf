//! How an account's callbacks are authenticated: tokens, signing secrets and networks, after they were checked.

use super::{AccountConfig, BadNetwork, Networks, Secret};

/// How an account's callbacks are authenticated.
#[derive(Clone, Debug, Default)]
pub struct Callers {
    /// The tokens; a callback has to carry one of them.
    pub tokens: Vec<Secret>,
    /// The secrets that may have signed the callback URL.
    pub signing_secrets: Vec<Secret>,
    /// The networks that callbacks are accepted from; none: all.
    pub allow_from: Networks,
    /// Whether callbacks that fail the check of network or signature are accepted, counted and logged.
    pub report_only: bool,
}

/// Why tokens, secrets or networks cannot be used. The text begins with the key.
#[derive(Debug, thiserror::Error)]
pub enum BadCallers {
    /// A text that is not a network.
    #[error("allow_from: {0}")]
    Network(#[from] BadNetwork),
    /// A secret that a holder of a signed URL could find by trial.
    #[error(
        "signing_secrets: each must have {} characters or more, such as `openssl rand -hex 32` prints",
        Callers::SHORTEST_SIGNING_SECRET
    )]
    ShortSecret,
}

impl Callers {
    /// The shortest signing secret, in bytes. A signed URL allows guesses offline, so no rate limit protects a short
    /// one.
    pub const SHORTEST_SIGNING_SECRET: usize = 16;

    /// Checks the part of an account's configuration that concerns callers.
    ///
    /// # Errors
    /// [`BadCallers`] says what to set.
    pub fn checked(config: &AccountConfig) -> Result<Self, BadCallers> {
        let AccountConfig { callback_tokens, signing_secrets, allow_from, report_only, .. } = config;
        let short = |secret: &Secret| secret.reveal().len() < Self::SHORTEST_SIGNING_SECRET;
        if signing_secrets.0.iter().any(short) {
            return Err(BadCallers::ShortSecret);
        }
        Ok(Self {
            tokens: callback_tokens.0.clone(),
            signing_secrets: signing_secrets.0.clone(),
            allow_from: Networks::read(&allow_from.0)?,
            report_only: *report_only,
        })
    }

    /// Whether callbacks need neither a token nor a valid signature. With `report_only` a signature is not required.
    #[must_use]
    pub fn are_anybody(&self) -> bool {
        self.tokens.is_empty() && (self.signing_secrets.is_empty() || self.report_only)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::StringList;

    #[test]
    fn a_token_or_an_enforced_signature_keeps_others_out() {
        let long = StringList(vec![Secret::from("0123456789abcdef")]);
        let config =
            |callback_tokens: &[&str], signing_secrets: &StringList<Secret>, report_only| AccountConfig {
                callback_tokens: StringList(callback_tokens.iter().map(|&token| token.into()).collect()),
                signing_secrets: signing_secrets.clone(),
                report_only,
                ..AccountConfig::default()
            };
        let none = StringList(Vec::new());
        for (config, anybody) in [
            (config(&[], &none, false), true),
            (config(&["t"], &none, true), false),
            (config(&[], &long, false), false),
            (config(&[], &long, true), true),
            (config(&["t"], &long, true), false),
        ] {
            assert_eq!(Callers::checked(&config).unwrap().are_anybody(), anybody, "{config:?}");
        }
    }

    #[test]
    fn what_cannot_be_used_names_its_key_and_shows_no_secret() {
        let mut config = AccountConfig {
            signing_secrets: StringList(vec!["0123456789abcde".into()]),
            ..AccountConfig::default()
        };
        let short = config.checked("acme").unwrap_err().to_string();
        assert!(
            short.starts_with("accounts.acme.signing_secrets: each must have 16 ") && !short.contains("0123"),
            "{short}"
        );
        config =
            AccountConfig { allow_from: StringList(vec!["exotel.com".into()]), ..AccountConfig::default() };
        let network = config.checked("acme").unwrap_err().to_string();
        assert!(network.starts_with("accounts.acme.allow_from: `exotel.com` is no network"), "{network}");
    }
}
