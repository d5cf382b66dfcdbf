//! Keys that mean nothing, and the known ones that were probably meant.

use serde_json::{Value, json};

use super::Config;
use crate::{
    access::AccountConfig,
    domain::StatusCodeConfig,
    http::{ApiKeyConfig, ApiKeyList, KeyDigest},
};

/// Any name may stand in this place of a path.
const ANY: &str = "*";

/// One line for each key of `merged` that means nothing. `variables` are the environment variables
/// that were read, to be named where one of them set the key.
pub(super) fn unknown_keys(merged: &Value, defaults: &Config, variables: &[String]) -> Vec<String> {
    let known = known_paths(defaults);
    let mut unknown = Vec::new();
    for path in paths(merged) {
        if !known.iter().any(|known| is_at(&path, known)) {
            unknown.push(line(&path, &known, variables));
        }
    }
    unknown.sort();
    unknown.dedup();
    unknown
}

fn line(path: &[String], known: &[Vec<String>], variables: &[String]) -> String {
    let key = path.join(".");
    let likeness =
        |known: &&Vec<String>| strsim::normalized_damerau_levenshtein(&named_alike(known, path), &key);
    let nearest = known.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
    let nearest = nearest.map(|known| named_alike(known, path)).unwrap_or_default();
    let variable = format!("DLR__{}", path.join("__").to_uppercase());
    let from = if variables.contains(&variable) { format!(" ({variable})") } else { String::new() };
    format!("unknown key `{key}`{from}; did you mean `{nearest}`?")
}

/// A known path with the name that `path` has where any may stand.
fn named_alike(known: &[String], path: &[String]) -> String {
    let alike = |at: usize| path.get(at).filter(|_| path[..at] == known[..at]);
    let part = |(at, part): (usize, &String)| match part.as_str() {
        ANY => alike(at).cloned().unwrap_or_else(|| "NAME".to_owned()),
        _ => part.clone(),
    };
    known.iter().enumerate().map(part).collect::<Vec<_>>().join(".")
}

fn is_at(path: &[String], known: &[String]) -> bool {
    path.len() <= known.len() && path.iter().zip(known).all(|(part, known)| known == ANY || part == known)
}

/// Every path that the types know: the defaults', with one of everything that may be repeated.
fn known_paths(defaults: &Config) -> Vec<Vec<String>> {
    let mut sample = defaults.clone();
    sample.accounts.insert(ANY.to_owned(), AccountConfig::default());
    sample.status_codes.push(StatusCodeConfig::default());
    let key = ApiKeyConfig { name: String::new(), sha256: KeyDigest::of(""), scopes: Vec::new() };
    sample.auth.keys = ApiKeyList(vec![key]);
    paths(&json!(sample))
}

/// The paths of every leaf, through lists as if their items stood alone.
fn paths(value: &Value) -> Vec<Vec<String>> {
    match value {
        Value::Object(members) if !members.is_empty() => {
            let below = |(key, value): (&String, &Value)| {
                let prefixed = |path: Vec<String>| [vec![key.clone()], path].concat();
                paths(value).into_iter().map(prefixed).collect::<Vec<_>>()
            };
            members.iter().flat_map(below).collect()
        }
        Value::Array(items) if items.iter().any(Value::is_object) => items.iter().flat_map(paths).collect(),
        _ => vec![Vec::new()],
    }
}
