//! Loads files and environment variables into a checked [`Config`].

use std::{collections::HashMap, fs, path::PathBuf};

use config::{Config as Layers, Environment, File, FileFormat::Toml, Source};

use super::{
    Config, ConfigError,
    environment::{our_variables, read},
    unknown::unknown_keys,
};
use crate::access::AccountConfig;

const DEFAULT: &str = include_str!("../../config/default.toml");
const PRODUCTION: &str = include_str!("../../config/production.toml");

/// The sources of a configuration, apart from the defaults.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// A profile: `production`, or a file `config/NAME.toml`.
    pub profile: Option<String>,
    /// A file.
    pub file: Option<PathBuf>,
    /// The environment variables.
    pub variables: HashMap<String, String>,
}

impl Sources {
    /// Uses this process's environment. Variables that are not UTF-8 are ignored.
    #[must_use]
    pub fn from_process(profile: Option<String>, file: Option<PathBuf>) -> Self {
        let text = |(key, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((key.into_string().ok()?, value.into_string().ok()?))
        };
        Self { profile, file, variables: std::env::vars_os().filter_map(text).collect() }
    }
}

/// Merges the sources over the defaults, each over the one before: profile, file, variables. Checks the result.
///
/// # Errors
/// [`ConfigError`] names the key, and what to set.
pub fn load(sources: &Sources) -> Result<Config, ConfigError> {
    let mut layers = Layers::builder().add_source(File::from_str(DEFAULT, Toml));
    if let Some(profile) = sources.profile.as_deref().filter(|name| !name.is_empty()) {
        layers = layers.add_source(layer(&format!("config/{profile}.toml"), &profile_text(profile)?)?);
    }
    if let Some(file) = &sources.file {
        let name = file.display().to_string();
        layers = layers.add_source(layer(&name, &read("--config", &name)?)?);
    }
    let variables = our_variables(&sources.variables)?;
    let environment = Environment::with_prefix("DLR").prefix_separator("__").separator("__");
    let layers = layers.add_source(environment.source(Some(variables.clone()))).build()?;

    let defaults = Layers::builder().add_source(File::from_str(DEFAULT, Toml)).build()?;
    let unknown = unknown_keys(
        &layers.clone().try_deserialize()?,
        &defaults.try_deserialize::<Config>()?,
        &variables.into_keys().collect::<Vec<_>>(),
    );
    if !unknown.is_empty() {
        return Err(ConfigError::UnknownKeys(unknown));
    }
    let mut config: Config = layers.try_deserialize()?;
    if config.accounts.is_empty() {
        config.accounts.insert("default".to_owned(), AccountConfig::default());
    }
    config.check()?;
    Ok(config)
}

/// The text of a profile. A file `config/NAME.toml` in the working directory takes precedence over the built-in
/// profile.
fn profile_text(profile: &str) -> Result<String, ConfigError> {
    let no_such = || ConfigError::NoSuchProfile(profile.to_owned());
    if profile.contains(['/', '\\', '.']) {
        return Err(no_such());
    }
    match fs::read_to_string(format!("config/{profile}.toml")) {
        Ok(text) => Ok(text),
        Err(_) if profile == "production" => Ok(PRODUCTION.to_owned()),
        Err(_) => Err(no_such()),
    }
}

/// A source of TOML. The syntax is checked here first, because the `config` crate's error would show the line.
fn layer(file: &str, text: &str) -> Result<impl Source + Send + Sync + 'static, ConfigError> {
    if let Err(error) = text.parse::<toml::Table>() {
        let before = &text[..error.span().map_or(0, |span| span.start.min(text.len()))];
        let line = before.matches('\n').count() + 1;
        let column = before.chars().rev().take_while(|&c| c != '\n').count() + 1;
        let (file, fault) = (file.to_owned(), error.message().to_owned());
        return Err(ConfigError::Syntax { file, line, column, fault });
    }
    Ok(File::from_str(text, Toml))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let variables = variables.iter().map(|&(key, value)| (key.to_owned(), value.to_owned()));
        load(&Sources { variables: variables.collect(), ..Sources::default() })
    }

    fn refusal(variables: &[(&str, &str)]) -> String {
        with(variables).unwrap_err().to_string()
    }

    #[test]
    fn out_of_the_box_there_is_one_open_account_on_loopback() {
        let config = with(&[]).unwrap();
        assert_eq!(config.http.bind.to_string(), "127.0.0.1:8080");
        assert_eq!(config.database.url, "sqlite://data/dlr.db");
        assert_eq!(config.accounts.keys().collect::<Vec<_>>(), ["default"]);
        config.check_exposure().unwrap();
    }

    #[test]
    fn variables_set_keys_lists_and_accounts() {
        let config = with(&[
            ("DLR__HTTP__BIND", "0.0.0.0:80"),
            ("DLR__HTTP__INTERNAL_BIND", "127.0.0.1:9090"),
            ("DLR__ACCOUNTS__ACME__CALLBACK_TOKENS", "new,old"),
            ("DLR__ACCOUNTS__ACME__TIME_ZONE", "Europe/Berlin"),
            ("DLR__DATABASE__MAX_CONNECTIONS", "3"),
            ("DLR_PROFILE", "no business of the keys"),
        ])
        .unwrap();
        assert_eq!(config.accounts.keys().collect::<Vec<_>>(), ["acme"], "it takes the default's place");
        let acme = &config.accounts["acme"];
        assert_eq!((acme.callback_tokens.0.len(), acme.time_zone.name()), (2, "Europe/Berlin"));
        assert_eq!(config.database.max_connections.get(), 3);
        config.check_exposure().unwrap();
    }

    #[test]
    fn the_database_url_goes_by_its_own_name_too() {
        let url = |variables: &[(&str, &str)]| with(variables).unwrap().database.url;
        assert_eq!(url(&[("DATABASE_URL", "postgres://a/b")]), "postgres://a/b");
        let both = [("DATABASE_URL", "postgres://a/b"), ("DLR__DATABASE__URL", "postgres://c/d")];
        assert_eq!(url(&both), "postgres://c/d");
        assert!(
            refusal(&[("DATABASE_URL", "mysql://a/b")]).contains("database.url must begin with postgres://")
        );
    }

    #[test]
    fn secrets_are_read_from_files() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "postgres://from/file\n").unwrap();
        let path = file.path().to_str().unwrap();
        assert_eq!(with(&[("DATABASE_URL_FILE", path)]).unwrap().database.url, "postgres://from/file");
        let both = [("DLR__DATABASE__URL_FILE", path), ("DLR__DATABASE__URL", "postgres://c/d")];
        assert_eq!(refusal(&both), "DLR__DATABASE__URL and DLR__DATABASE__URL_FILE are both set; keep one");
        let missing = refusal(&[("DATABASE_URL_FILE", "/nowhere")]);
        assert!(missing.starts_with("DATABASE_URL_FILE: cannot read /nowhere"), "{missing}");
    }

    #[test]
    fn unknown_keys_name_the_nearest_known_one() {
        assert_eq!(
            refusal(&[("DLR__HTP__BIND", "x")]),
            "unknown key `htp.bind` (DLR__HTP__BIND); did you mean `http.bind`?"
        );
        assert_eq!(
            refusal(&[("DLR__ACCOUNTS__ACME__CALLBACK_TOKEN", "x")]),
            "unknown key `accounts.acme.callback_token` (DLR__ACCOUNTS__ACME__CALLBACK_TOKEN); did you mean \
             `accounts.acme.callback_tokens`?"
        );
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "[[status_codes]]\ncode = 1\nnmae = \"X\"\n").unwrap();
        let sources = Sources { file: Some(file.path().into()), ..Sources::default() };
        let error = load(&sources).unwrap_err().to_string();
        assert_eq!(error, "unknown key `status_codes.nmae`; did you mean `status_codes.name`?");
    }

    #[test]
    fn bad_values_name_their_key() {
        for (variable, value, key) in [
            ("DLR__HTTP__BIND", "nonsense", "http.bind"),
            ("DLR__DATABASE__MAX_CONNECTIONS", "many", "database.max_connections"),
            ("DLR__DATABASE__MAX_CONNECTIONS", "0", "database.max_connections"),
            ("DLR__DATABASE__TIMEOUT_MS", "-1", "database.timeout_ms"),
            ("DLR__HTTP__HEADER_TIMEOUT_MS", "0", "http.header_timeout_ms"),
            ("DLR__HTTP__BODY_MIN_RATE", "0", "http.body_min_rate"),
            ("DLR__HTTP__MAX_CONNECTIONS", "0", "http.max_connections"),
            ("DLR__HTTP__MAX_HEADERS", "70000", "http.max_headers"),
            ("DLR__ACCOUNTS__ACME__TIME_ZONE", "Mars/Olympus", "accounts.acme.time_zone"),
            ("DLR__ACCOUNTS__ACME__COUNTRY", "XX", "accounts.acme.country"),
            (
                "DLR__ACCOUNTS__ACME__ALLOW_FROM",
                "10.0.0.0/8,exotel.com",
                "accounts.acme.allow_from: `exotel.com`",
            ),
            ("DLR__ACCOUNTS__ACME__SIGNING_SECRETS", "short", "accounts.acme.signing_secrets"),
            ("DLR__ACCOUNTS__ACME__REPORT_ONLY", "perhaps", "accounts.acme.report_only"),
            ("DLR__HTTP__TRUSTED_PROXIES", "10.0.0.0/40", "http.trusted_proxies: `10.0.0.0/40`"),
            ("DLR__LIMITS__REFUSALS_PER_MINUTE_PER_ADDRESS", "-1", "limits.refusals_per_minute_per_address"),
            ("DLR__LOG__FORMAT", "xml", "log.format"),
            ("DLR__AUTH__KEYS", "[{name = \"a\"}]", "auth.keys"),
        ] {
            let refusal = refusal(&[(variable, value)]);
            assert!(refusal.contains(key), "{refusal}");
        }
    }

    #[test]
    fn bad_values_of_lists_say_what_is_wrong_with_them() {
        for (text, fault) in [
            ("[[auth.keys]]\nname = \"a\"\nsha256 = \"zz\"\nscopes = []", "64 hexadecimal digits"),
            ("[[auth.keys]]\nname = \"a\"\nscopes = []", "missing configuration field \"auth.keys[0]"),
            (
                "[[status_codes]]\ncode = 1\noutcome = \"lost\"",
                "`lost` is none of delivered, failed, pending, unknown",
            ),
            ("[accounts.a]\ncallback_tokens = 7", "a list of texts, or one text with commas"),
        ] {
            let file = tempfile::NamedTempFile::new().unwrap();
            fs::write(file.path(), text).unwrap();
            let sources = Sources { file: Some(file.path().into()), ..Sources::default() };
            let error = load(&sources).unwrap_err().to_string();
            assert!(error.contains(fault), "{error}");
        }
    }

    #[test]
    fn a_broken_file_is_located_and_not_shown() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "[accounts.acme]\ncallback_tokens = \"s3cret\ncountry = \"IN\"\n").unwrap();
        let error = load(&Sources { file: Some(file.path().into()), ..Sources::default() }).unwrap_err();
        let error = error.to_string();
        assert!(error.contains("no TOML at line 2") && !error.contains("s3cret"), "{error}");
    }

    #[test]
    fn what_would_fail_at_the_start_fails_the_check() {
        for (variable, value, hint) in [
            ("DLR__LOG__FILTER", "a=b=c", "log.filter"),
            ("DATABASE_URL", "postgres://u:pa55@h:99999/d", "database.url is not understood"),
            ("DATABASE_URL", "sqlite://", "names no file"),
            ("DATABASE_URL", "sqlite:", "names no file"),
            ("DLR__HTTP__PUBLIC_URL", "not a url", "http.public_url"),
            ("DLR__HTTP__PUBLIC_URL", "https://x/?a=b", "http.public_url"),
            ("DLR__HTTP__SHUTDOWN_TIMEOUT_MS", "600001", "http.shutdown_timeout_ms"),
            ("DLR__HTTP__IDLE_TIMEOUT_MS", "3600001", "http.idle_timeout_ms must be 3600000 at most"),
            ("DLR__HTTP__MAX_CONNECTIONS", "2000000", "http.max_connections must be 1048576 at most"),
            ("DLR__HTTP__MAX_HEADER_BYTES", "8191", "http.max_header_bytes must be from 8192 to 1048576"),
            ("DLR__DATABASE__TIMEOUT_MS", "9000000000000000000", "database.timeout_ms"),
        ] {
            let refusal = refusal(&[(variable, value)]);
            assert!(refusal.contains(hint) && !refusal.contains("pa55"), "{refusal}");
        }
    }

    #[test]
    fn empty_variables_of_compose_files_are_unset() {
        let empty = [("DATABASE_URL".to_owned(), String::new())].into();
        let config = load(&Sources { profile: Some(String::new()), variables: empty, file: None }).unwrap();
        assert_eq!(config.database.url, "sqlite://data/dlr.db");
    }

    #[test]
    fn being_open_to_everybody_takes_a_word() {
        let open = [("DLR__HTTP__BIND", "0.0.0.0:8080")];
        let error = with(&open).unwrap().check_exposure().unwrap_err().to_string();
        assert!(
            error.contains("set accounts.default.callback_tokens (DLR__ACCOUNTS__DEFAULT__CALLBACK_TOKENS)"),
            "{error}"
        );
        assert!(error.contains("auth.keys") && error.contains("auth.allow_insecure"), "{error}");
        let accepted = [open[0], ("DLR__AUTH__ALLOW_INSECURE", "true")];
        with(&accepted).unwrap().check_exposure().unwrap();
        let split =
            [open[0], ("DLR__HTTP__INTERNAL_BIND", "[::1]:9090"), ("DLR__ACCOUNTS__A__CALLBACK_TOKENS", "t")];
        with(&split).unwrap().check_exposure().unwrap();
    }

    #[test]
    fn a_profile_is_built_in_or_a_file() {
        let profile = |name: &str| load(&Sources { profile: Some(name.into()), ..Sources::default() });
        assert_eq!(profile("production").unwrap().http.bind.to_string(), "0.0.0.0:8080");
        assert!(profile("staging").unwrap_err().to_string().contains("config/staging.toml"));
        assert!(profile("../etc").is_err());
    }
}
