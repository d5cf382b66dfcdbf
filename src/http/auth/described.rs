//! What the API's description says of a callback URL's own parameters.

use utoipa::IntoParams;

/// What opens a callback URL, if its account wants anything of it. None of them becomes a label.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "they are read where they are compared")]
pub(in crate::http) struct UrlParams {
    /// One of the account's tokens.
    token: Option<String>,
    /// With `sig`: the recipient that the URL is signed for. Without, a label, or the field `To` of a GET.
    #[param(example = "+919812345670")]
    to: Option<String>,
    /// With `sig`: until when the URL is good, in seconds since 1970.
    #[param(value_type = Option<String>, example = "1790000000")]
    exp: Option<String>,
    /// HMAC-SHA256 over the account's name, `to` and `exp`, one a line, in hexadecimal.
    sig: Option<String>,
}
