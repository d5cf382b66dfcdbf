//! A URL of Exotel's API, taken apart.

use percent_encoding::percent_decode_str;

use crate::exotel::{AnswerFormat, ApiError};

/// A URL of Exotel's API.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Call {
    /// Which version it asks.
    pub version: ApiVersion,
    /// How the first version is to answer.
    pub format: AnswerFormat,
    /// What stands behind the version, decoded.
    segments: Vec<String>,
}

/// A version of Exotel's API.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum ApiVersion {
    /// `v1`: details of one SMS.
    First,
    /// `v2`: details of a campaign.
    Second,
    /// One that we do not know, as it was spelled.
    Other(String),
}

/// What a URL asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct CompatTarget<'c> {
    /// Of whose messages.
    pub account_sid: &'c str,
    /// What stands behind the account.
    pub resource: &'c [String],
}

impl Call {
    /// Takes a path apart; none where it does not begin with a version, such as `/v1`.
    pub fn of(path: &str) -> Option<Self> {
        let decode = |segment| percent_decode_str(segment).decode_utf8_lossy().into_owned();
        let mut segments: Vec<String> = path.strip_prefix('/')?.split('/').map(decode).collect();
        let version = segments.remove(0);
        let number = version.strip_prefix(['v', 'V'])?;
        if !number.starts_with(|c: char| c.is_ascii_digit()) {
            return None;
        }
        let version = match number {
            "1" => ApiVersion::First,
            "2" => ApiVersion::Second,
            _ => ApiVersion::Other(version),
        };
        let format = without_json(&mut segments);
        Some(Self { version, format, segments })
    }

    /// What it asks for, if its shape is right so far.
    pub fn read(&self) -> Result<CompatTarget<'_>, ApiError> {
        if let ApiVersion::Other(version) = &self.version {
            return Err(ApiError::UnsupportedVersion(version.clone()));
        }
        match self.segments.as_slice() {
            [accounts, rest @ ..] if accounts.eq_ignore_ascii_case("accounts") => match rest {
                [account_sid, resource @ ..] if !account_sid.is_empty() => {
                    Ok(CompatTarget { account_sid, resource })
                }
                _ => Err(ApiError::Forbidden),
            },
            _ => Err(ApiError::AccountsMissing),
        }
    }
}

/// Takes the `.json` off the end of the path.
fn without_json(segments: &mut [String]) -> AnswerFormat {
    let Some(last) = segments.last_mut() else { return AnswerFormat::Xml };
    match last.len().checked_sub(".json".len()).filter(|&at| last.is_char_boundary(at)) {
        Some(at) if last[at..].eq_ignore_ascii_case(".json") => {
            last.truncate(at);
            AnswerFormat::Json
        }
        _ => AnswerFormat::Xml,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn asked(path: &str) -> Result<(String, Vec<String>), ApiError> {
        let call = Call::of(path).unwrap();
        call.read().map(|asked| (asked.account_sid.to_owned(), asked.resource.to_vec()))
    }

    #[test]
    fn a_path_is_taken_apart_in_any_case() {
        for path in ["/v1/Accounts/acme/SMS/Messages/s%2F1.json", "/V1/ACCOUNTS/acme/SMS/Messages/s%2F1.JSON"]
        {
            let call = Call::of(path).unwrap();
            assert_eq!((&call.version, call.format), (&ApiVersion::First, AnswerFormat::Json));
            let resource = ["SMS", "Messages", "s/1"].map(str::to_owned).to_vec();
            assert_eq!(asked(path).unwrap(), ("acme".to_owned(), resource));
        }
        assert_eq!(Call::of("/v1/Accounts/a/Sms/Messages/ßjson").unwrap().format, AnswerFormat::Xml);
    }

    proptest! {
        #[test]
        fn any_path_is_read_or_is_nobodys(rest in "[/a-zA-Z0-9%.é]{0,40}") {
            let call = Call::of(&format!("/v1/Accounts/{rest}")).unwrap();
            prop_assert_eq!(&call.version, &ApiVersion::First);
            let account = rest.split('/').next().unwrap();
            match call.read() {
                Ok(asked) => prop_assert!(!asked.account_sid.is_empty()),
                Err(error) => {
                    prop_assert_eq!(error, ApiError::Forbidden);
                    prop_assert!(account.is_empty() || account.eq_ignore_ascii_case(".json"));
                }
            }
        }
    }

    #[test]
    fn other_paths_are_nobodys() {
        for path in ["/messages", "/vault/x", "/v", "/", "/1/Accounts"] {
            assert_eq!(Call::of(path), None, "{path}");
        }
    }

    #[test]
    fn the_shape_is_right_or_says_what_is_wrong() {
        let unsupported = |version: &str| Err(ApiError::UnsupportedVersion(version.to_owned()));
        for (path, expected) in [
            ("/v3/Accounts/acme/Sms", unsupported("v3")),
            ("/v2_beta", unsupported("v2_beta")),
            ("/v01/Accounts/acme", unsupported("v01")),
            ("/v1", Err(ApiError::AccountsMissing)),
            ("/v2/sms-campaigns", Err(ApiError::AccountsMissing)),
            ("/v1//Accounts/acme", Err(ApiError::AccountsMissing)),
            ("/v1/Accounts", Err(ApiError::Forbidden)),
            ("/v1/Accounts//SMS/Messages/s1", Err(ApiError::Forbidden)),
            ("/v1/Accounts/acme", Ok(("acme".to_owned(), Vec::new()))),
        ] {
            assert_eq!(asked(path), expected, "{path}");
        }
    }
}
