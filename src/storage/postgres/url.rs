//! The URL of a Postgres, as the driver may read it.

use sqlx::postgres::PgConnectOptions;
use url::Url;

/// The parameters that the driver knows, beside `options[NAME]`.
const KNOWN: [&str; 18] = [
    "application_name",
    "dbname",
    "host",
    "hostaddr",
    "options",
    "password",
    "port",
    "ssl-ca",
    "ssl-cert",
    "ssl-key",
    "ssl-mode",
    "ssl-root-cert",
    "sslcert",
    "sslkey",
    "sslmode",
    "sslrootcert",
    "statement-cache-capacity",
    "user",
];

/// Reads a URL without the parameters that the driver does not know. It would ignore them as well, but log them
/// with their values, and `sslpassword` is one of them. Also returns their names.
pub(in crate::storage) fn read(url: &str) -> sqlx::Result<(PgConnectOptions, Vec<String>)> {
    let Ok(mut parsed) = Url::parse(url) else { return Ok((url.parse()?, Vec::new())) };
    let pairs = parsed.query_pairs().map(|(key, value)| (key.into_owned(), value.into_owned()));
    let is_known = |(key, _): &(String, String)| KNOWN.contains(&key.as_str()) || key.starts_with("options[");
    let (known, unknown): (Vec<_>, Vec<_>) = pairs.partition(is_known);
    if unknown.is_empty() {
        return Ok((url.parse()?, Vec::new()));
    }
    parsed.query_pairs_mut().clear().extend_pairs(known);
    // What has no value may be a secret in the wrong place.
    let names = unknown.into_iter().filter(|(_, value)| !value.is_empty()).map(|(key, _)| key);
    Ok((parsed.as_str().parse()?, names.collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_driver_is_given_no_parameter_that_it_would_log() {
        let url = "postgres://dlr:pa55@db/dlr?sslmode=require&sslpassword=s3cr3t&connect_timeout=3&s3cr3t";
        let (options, unknown) = read(url).unwrap();
        assert_eq!(unknown, ["sslpassword", "connect_timeout"]);
        assert_eq!(
            (options.get_host(), options.get_username(), options.get_database()),
            ("db", "dlr", Some("dlr"))
        );
        assert!(matches!(options.get_ssl_mode(), sqlx::postgres::PgSslMode::Require));
        let (options, unknown) = read("postgres:///dlr?host=/run/postgresql&options[a]=b").unwrap();
        assert_eq!((options.get_database(), unknown.len()), (Some("dlr"), 0));
        assert!(read("postgres://u:pa55@h:99999/d").is_err());
    }
}
