//! axum's extractors, which answer with our problems in place of axum's texts.

use axum::{
    extract::{FromRequestParts, Path},
    http::request::Parts,
};
use serde::de::DeserializeOwned;

use super::{Problem, ProblemKind};
use crate::{
    exotel::{json_text, query},
    storage::{Cursor, PageRequest},
};

/// The parameters of the path.
pub(super) struct PathParams<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for PathParams<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Path::from_request_parts(parts, state).await {
            Ok(Path(params)) => Ok(Self(params)),
            Err(_) => Err(Problem::new(
                ProblemKind::InvalidParameter,
                "the path is not valid UTF-8 once it is decoded",
            )),
        }
    }
}

/// The parameters of the query string. Unknown parameters and bad values are named in the answer.
pub(super) struct QueryParams<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for QueryParams<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let pairs = query::pairs(parts.uri.query().unwrap_or_default());
        let deserializer = serde_urlencoded::Deserializer::new(pairs);
        serde_path_to_error::deserialize(deserializer).map(Self).map_err(|error| parameter_problem(&error))
    }
}

fn parameter_problem(error: &serde_path_to_error::Error<serde::de::value::Error>) -> Problem {
    match error.path().to_string().as_str() {
        "." => Problem::new(ProblemKind::InvalidParameter, error.inner().to_string()),
        name => Problem::parameter(name, error.inner()),
    }
}

/// The pairs of the query string, for handlers that read them one by one.
pub(super) struct QueryPairs(pub Vec<(String, String)>);

impl<S: Send + Sync> FromRequestParts<S> for QueryPairs {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let pairs = query::pairs(parts.uri.query().unwrap_or_default());
        Ok(Self(pairs.into_owned().collect()))
    }
}

/// Reads a JSON body. `shape` shows in the error what is expected. A byte order mark before the first brace is skipped.
pub(super) fn read_json<T: DeserializeOwned>(body: &[u8], shape: &str) -> Result<T, Problem> {
    let text = json_text(body);
    let mut json = serde_json::Deserializer::from_slice(&text);
    let read = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        Problem::new(ProblemKind::MalformedBody, format!("the body must be {shape}: {error}"))
    })?;
    json.end()
        .map_err(|_| Problem::new(ProblemKind::MalformedBody, "something stands behind the JSON object"))?;
    Ok(read)
}

/// Stores the value of a parameter that may be given once only.
pub(super) fn once<T>(place: &mut Option<T>, name: &str, value: T) -> Result<(), Problem> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(Problem::parameter(name, "is given more than once")),
    }
}

/// `limit` and `cursor` of a list.
#[derive(Default, serde::Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct PageParams {
    /// How many at most.
    #[param(value_type = Option<u16>, minimum = 1, maximum = 500, default = 50)]
    limit: Option<String>,
    /// `next_cursor` of the page before, as it is.
    cursor: Option<String>,
}

impl PageParams {
    /// Their names.
    pub const PARAMETERS: [&'static str; 2] = ["limit", "cursor"];
    /// The largest `limit`.
    const MAX_LIMIT: u16 = 500;
    /// `limit` where none is given.
    const LIMIT: u16 = 50;

    /// Stores the value of one of them.
    pub fn take(&mut self, name: &str, value: &str) -> Result<(), Problem> {
        let place = if name == "limit" { &mut self.limit } else { &mut self.cursor };
        once(place, name, value.to_owned())
    }

    /// The page of `list` that they ask for.
    pub fn page(&self, list: &str) -> Result<PageRequest, Problem> {
        let limit = match self.limit.as_deref().map(str::parse) {
            None => Self::LIMIT,
            Some(Ok(limit)) if (1..=Self::MAX_LIMIT).contains(&limit) => limit,
            Some(_) => {
                return Err(Problem::parameter(
                    "limit",
                    format!("must be a whole number from 1 to {}", Self::MAX_LIMIT),
                ));
            }
        };
        let cursor = self.cursor.as_deref().map(|cursor| Cursor::decode(cursor, list)).transpose();
        let after = cursor.map_err(|error| Problem::parameter("cursor", error))?;
        Ok(PageRequest { limit, after })
    }
}
