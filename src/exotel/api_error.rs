//! The errors of Exotel's API: those of its table, and a few of our own.
//!
//! Source: "HTTP API Error codes" in Exotel's reference of SMS details, spelled as there.

use std::borrow::Cow;

use serde::Serialize;

use super::AnswerFormat;

/// Why a question in Exotel's way is not answered.
#[derive(Clone, Debug, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum ApiError {
    /// The sid is not found. Exotel answers 200.
    NoMatchingResults,
    /// The account's rate limit is exceeded.
    TooManyRequests {
        /// When to ask again, in seconds.
        retry_after_s: u64,
    },
    /// An unknown resource under `/Sms/`.
    UnrecognisedPath,
    /// The account is inactive.
    AccountInactive,
    /// `/Sms` alone.
    ResourceMissing,
    /// Another version than `v1` and `v2`, as the URL spells it.
    UnsupportedVersion(String),
    /// The URL names no accounts.
    AccountsMissing,
    /// No account sid, one of other credentials, or an unknown resource.
    Forbidden,
    /// No key, or no token.
    CredentialsMissing,
    /// A key or a token that is wrong.
    Unauthorized,
    /// A key or a token with characters that Exotel's do not have.
    MalformedCredentials,
    /// Ours: a parameter of the query string, and what is wrong with it.
    BadParameter(String),
    /// Ours: the store cannot be reached.
    #[strum(serialize = "store_unavailable")]
    Unavailable,
    /// Ours: as many scans run as are allowed.
    TooManyScans,
    /// Ours: the answer took longer than it may.
    TookTooLong,
    /// Ours: the service failed.
    Internal,
}

impl ApiError {
    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> u16 {
        match self {
            Self::NoMatchingResults => 200,
            Self::UnrecognisedPath
            | Self::ResourceMissing
            | Self::UnsupportedVersion(_)
            | Self::AccountsMissing
            | Self::MalformedCredentials
            | Self::BadParameter(_) => 400,
            Self::CredentialsMissing | Self::Unauthorized => 401,
            Self::AccountInactive | Self::Forbidden => 403,
            Self::TooManyRequests { .. } => 429,
            Self::Internal => 500,
            Self::Unavailable | Self::TooManyScans | Self::TookTooLong => 503,
        }
    }

    /// The code of Exotel's API; some errors have none.
    #[must_use]
    pub fn code(&self) -> Option<u32> {
        match self {
            Self::MalformedCredentials => Some(34001),
            Self::Forbidden => Some(34009),
            Self::Unauthorized => Some(34010),
            Self::AccountInactive => Some(40002),
            Self::TooManyRequests { .. } => Some(40403),
            Self::ResourceMissing => Some(40500),
            Self::UnrecognisedPath => Some(40501),
            _ => None,
        }
    }

    /// The message, in Exotel's words, semicolons and capitals.
    #[must_use]
    pub fn message(&self) -> Cow<'_, str> {
        Cow::Borrowed(match self {
            Self::NoMatchingResults => "No matching results",
            Self::TooManyRequests { .. } => "Too many GET requests.",
            Self::UnrecognisedPath => "Invalid parameters",
            Self::AccountInactive => "Account inactive.",
            Self::ResourceMissing => "Invalid Parameters",
            Self::UnsupportedVersion(version) => {
                let text = format!("Exotel API Version {version} not supported. Contact Exotel for details.");
                return Cow::Owned(text);
            }
            Self::AccountsMissing => "/Accounts/ missing from URL",
            Self::Forbidden => "Action forbidden on given resource;",
            Self::CredentialsMissing => "Authentication is required to view this page.",
            Self::Unauthorized => "Unauthorized;",
            Self::MalformedCredentials => "Bad or missing parameters in request.;",
            Self::BadParameter(fault) => fault,
            Self::Unavailable => "the store cannot be reached now; try again later",
            Self::TooManyScans => "too many questions that read much are being answered; ask again",
            Self::TookTooLong => "the answer took too long; ask for less, or again later",
            Self::Internal => "the service failed; its log says where",
        })
    }

    /// The answer's text, in the form of the first version of the API.
    #[must_use]
    pub fn write(&self, format: AnswerFormat) -> String {
        let (status, message, code) = (self.status(), self.message(), self.code());
        format.write("RestException", &RestException { status, message, code })
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct RestException<'a> {
    status: u16,
    message: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<u32>,
}
