//! `[[auth.keys]]`: API keys as the configuration holds them.

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error, SeqAccess, Visitor, value::SeqAccessDeserializer},
};
use sha2::{Digest, Sha256};

/// The prefix of every API key, by which secret scanners and people recognise one.
pub const API_KEY_PREFIX: &str = "dlr_";

/// The scope of an API key.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, strum::IntoStaticStr, strum::VariantNames,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Scope {
    /// Ask questions.
    Read,
    /// Announce messages.
    Write,
    /// Everything, erasing included.
    Admin,
}

/// `[[auth.keys]]`: an API key. Only its digest is stored.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApiKeyConfig {
    /// Whose key it is.
    pub name: String,
    /// The digest of the key.
    pub sha256: KeyDigest,
    /// Its scopes.
    pub scopes: Vec<Scope>,
}

/// The API keys of a configuration; in an environment variable they are an array in TOML or JSON.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(transparent)]
pub struct ApiKeyList(pub Vec<ApiKeyConfig>);

impl<'de> Deserialize<'de> for ApiKeyList {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct KeyListVisitor;
        impl<'de> Visitor<'de> for KeyListVisitor {
            type Value = ApiKeyList;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array of {name, sha256, scopes}")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, keys: A) -> Result<ApiKeyList, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(keys)).map(ApiKeyList)
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<ApiKeyList, E> {
                from_text(text).map(ApiKeyList).map_err(|why| {
                    E::custom(format!("no array of {{name, sha256, scopes}} in TOML or JSON: {why}"))
                })
            }
        }
        deserializer.deserialize_any(KeyListVisitor)
    }
}

fn from_text(text: &str) -> Result<Vec<ApiKeyConfig>, String> {
    #[derive(Deserialize)]
    struct Toml {
        keys: Vec<ApiKeyConfig>,
    }
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    serde_json::from_str(text).or_else(|_| {
        let toml = toml::from_str(&format!("keys = {text}"));
        toml.map(|Toml { keys }| keys).map_err(|error| error.message().to_owned())
    })
}

/// The SHA-256 digest of a key; written in hexadecimal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyDigest(pub(super) [u8; 32]);

impl KeyDigest {
    /// The digest of a key.
    #[must_use]
    pub fn of(key: &str) -> Self {
        Self(Sha256::digest(key).into())
    }
}

impl fmt::Display for KeyDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl Serialize for KeyDigest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for KeyDigest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut digest = [0; 32];
        hex::decode_to_slice(String::deserialize(deserializer)?, &mut digest).map_err(|_| {
            Error::custom("sha256 is 64 hexadecimal digits; `dlr-receiver key new NAME` prints them")
        })?;
        Ok(Self(digest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_from_lists_and_from_text() {
        let sha256 = KeyDigest::of("k");
        for text in [
            format!(r#"[{{"name":"ops","sha256":"{sha256}","scopes":["read"]}}]"#),
            serde_json::to_string(&format!(r#"[{{name = "ops", sha256 = "{sha256}", scopes = ["read"]}}]"#))
                .unwrap(),
        ] {
            let keys: ApiKeyList = serde_json::from_str(&text).unwrap();
            assert_eq!((keys.0[0].name.as_str(), keys.0[0].scopes.as_slice()), ("ops", &[Scope::Read][..]));
        }
        let short = r#"[{"name":"ops","sha256":"abc","scopes":["read"]}]"#;
        assert!(serde_json::from_str::<ApiKeyList>(short).is_err());
    }
}
