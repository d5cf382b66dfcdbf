//! `serve`: the service itself.

use std::net::SocketAddr;

use super::{callback_url, say};
use crate::{
    access::AccountConfig,
    app::App,
    config::Config,
    domain::Clock,
    shutdown::ShutdownTrigger,
    storage::Trouble,
    telemetry::{self, LogFormat},
};

/// Runs until SIGTERM or SIGINT.
pub(super) async fn serve(config: &Config) -> anyhow::Result<()> {
    config.check_exposure()?;
    let traces = telemetry::init(&config.log, &config.tracing)?;
    // Signals are handled from here on, also while the database is being migrated.
    let (trigger, shutdown) = ShutdownTrigger::new();
    trigger.on_signals()?;
    let app = tokio::select! {
        app = App::build(config, Clock::System) => app?,
        () = shutdown.clone().begun() => return Ok(()),
    };
    let (callbacks, questions) = app.addresses()?;
    if config.log.format == LogFormat::Pretty {
        say(&welcome(config, callbacks, questions))?;
        if let Some(trouble) = app.store_trouble() {
            say(&warning(config, trouble))?;
        }
    }
    tracing::info!(%callbacks, %questions, version = env!("CARGO_PKG_VERSION"), "listening");
    app.flushing(traces).run(shutdown).await;
    Ok(())
}

/// The recipient in the example of the welcome text.
const TRIED: &str = "09812345670";

/// The welcome text: what to do first.
fn welcome(config: &Config, callbacks: SocketAddr, questions: SocketAddr) -> String {
    let mut config = config.clone();
    config.http.bind = callbacks;
    let tokens_of =
        |account: &AccountConfig| if account.callback_tokens.0.is_empty() { "" } else { "/TOKEN" };
    let urls = config.accounts.iter().map(|(name, account)| {
        let (url, token) =
            (callback_url::without_token(&config.shown_public_url(), name), tokens_of(account));
        let hint = match (token, account.signing_secrets.0.as_slice()) {
            ("", []) if !config.http.public_url.holds_secret() => "",
            ("", [_, ..]) => "   (`dlr-receiver callback-url --to NUMBER` signs it)",
            _ => "   (`dlr-receiver callback-url` prints it whole)",
        };
        format!("  {url}{token}{hint}\n")
    });
    let urls: String = urls.collect();
    let url = match config.accounts.first_key_value() {
        Some((name, account)) if tokens_of(account).is_empty() && !account.signing_secrets.0.is_empty() => {
            format!("\"$(dlr-receiver callback-url --account {name} --to {TRIED})\"")
        }
        Some((name, account)) => format!("http://{callbacks}/callbacks/exotel/{name}{}", tokens_of(account)),
        None => format!("http://{callbacks}/callbacks/exotel/default"),
    };
    let key = if config.auth.keys.0.is_empty() { "" } else { "-H 'Authorization: Bearer KEY' " };
    format!(
        "dlr-receiver listens on http://{callbacks}\n\n\
         Give this URL to Exotel as StatusCallback:\n{urls}\n\
         Try it:\n  \
         curl {url} -d SmsSid=try1 -d To={TRIED} -d Status=sent -d DetailedStatusCode=20005\n  \
         curl {key}http://{questions}/messages/try1\n"
    )
}

/// The text that follows it when the database is not ready.
fn warning(config: &Config, trouble: Trouble) -> String {
    let (text, advice) = (trouble.text(), trouble.advice());
    let meanwhile = match config.spool.file() {
        Some(file) => {
            let file = file.display();
            format!(
                "Callbacks are kept in the spool, {file}, until it does its work; questions may find nothing."
            )
        }
        None => "Callbacks are answered with 503 until it does its work.".to_owned(),
    };
    format!("ATTENTION: the database {text}. {meanwhile}\nWhat to do: {advice}.\nThe log says more.\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Sources, load};

    #[test]
    fn a_newcomer_is_told_what_works() {
        let told = |settings: &[(&str, &str)]| {
            let variables = settings.iter().map(|(key, value)| (format!("DLR__{key}"), (*value).to_owned()));
            let config = load(&Sources { variables: variables.collect(), ..Sources::default() }).unwrap();
            let address = "127.0.0.1:8080".parse().unwrap();
            welcome(&config, address, address)
        };
        assert!(
            told(&[]).contains("curl http://127.0.0.1:8080/callbacks/exotel/default -d"),
            "{}",
            told(&[])
        );
        let proxied = told(&[("HTTP__PUBLIC_URL", "https://exotel:s3cr3t@dlr.example.com")]);
        let url = "https://redacted:redacted@dlr.example.com/callbacks/exotel/default   (`dlr-receiver callback-url` prints";
        assert!(proxied.contains(url) && !proxied.contains("s3cr3t"), "{proxied}");
        let tokens = told(&[("ACCOUNTS__ACME__CALLBACK_TOKENS", "secret"), ("AUTH__KEYS", "[]")]);
        assert!(tokens.contains("/callbacks/exotel/acme/TOKEN -d") && !tokens.contains("secret"), "{tokens}");
        let signed = told(&[("ACCOUNTS__ACME__SIGNING_SECRETS", "0123456789abcdef0123456789abcdef")]);
        let url = "curl \"$(dlr-receiver callback-url --account acme --to 09812345670)\" -d";
        assert!(signed.contains(url) && !signed.contains("0123456789abcdef"), "{signed}");
    }
}
