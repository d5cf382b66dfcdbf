//! Selects the service's environment variables, and reads the files that `…_FILE` variables name.

use std::{collections::HashMap, fs};

use config::Map;

use super::ConfigError;

const PREFIX: &str = "DLR__";
const FILE_SUFFIX: &str = "_FILE";

/// The service's variables: `DLR__…`, `DATABASE_URL`, and the contents of the files that `…_FILE` variables name.
pub(super) fn our_variables(all: &HashMap<String, String>) -> Result<Map<String, String>, ConfigError> {
    let mut ours = Map::new();
    for (variable, value) in all {
        let name = variable.strip_suffix(FILE_SUFFIX).unwrap_or(variable);
        let is_ours = name.starts_with(PREFIX) || name == "DATABASE_URL";
        let overruled = name == "DATABASE_URL"
            && ["DLR__DATABASE__URL", "DLR__DATABASE__URL_FILE"].iter().any(|ours| all.contains_key(*ours));
        let unset = name == "DATABASE_URL" && value.is_empty();
        if !is_ours || overruled || unset {
            continue;
        }
        let value = if variable.ends_with(FILE_SUFFIX) {
            read_secret(variable, value, all.contains_key(name))?
        } else {
            value.clone()
        };
        let key = if name == "DATABASE_URL" { "DLR__DATABASE__URL" } else { name };
        ours.insert(key.to_owned(), value);
    }
    Ok(ours)
}

fn read_secret(variable: &str, path: &str, also_set: bool) -> Result<String, ConfigError> {
    if also_set {
        return Err(ConfigError::SetTwice(variable.trim_end_matches(FILE_SUFFIX).to_owned()));
    }
    Ok(read(variable, path)?.trim().to_owned())
}

/// Reads a file; `named_by` is the option or variable that names it, for the error.
pub(super) fn read(named_by: &str, path: &str) -> Result<String, ConfigError> {
    fs::read_to_string(path).map_err(|source| ConfigError::File {
        named_by: named_by.to_owned(),
        path: path.to_owned(),
        source,
    })
}
