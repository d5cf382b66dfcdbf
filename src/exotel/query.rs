//! The decoder of query strings for the whole crate. `+` and `%20` are a space, in keys and in values.

use std::borrow::Cow;

use url::form_urlencoded;

use super::opening::stripped;

/// Every pair, decoded, in order.
#[must_use]
pub fn pairs(query: &str) -> form_urlencoded::Parse<'_> {
    form_urlencoded::parse(stripped(query.as_bytes()))
}

/// The values of one key, not decoded. A percent-encoded key is another key: what authenticates a URL has one spelling.
pub fn raw_values<'q>(query: &'q str, name: &'q str) -> impl Iterator<Item = &'q str> {
    let of_name = move |pair: &&str| pair.split('=').next() == Some(name);
    raw_pairs(query).filter(of_name).map(|pair| pair.split_once('=').map_or("", |(_, value)| value))
}

/// A key or a value, decoded.
#[must_use]
pub fn decoded(text: &str) -> Cow<'_, str> {
    // A decoder of pairs would split the value at an `=`.
    match text.split_once('=') {
        Some((start, rest)) => Cow::Owned(format!("{}={}", decoded(start), decoded(rest))),
        None => form_urlencoded::parse(text.as_bytes()).next().unwrap_or_default().0,
    }
}

/// Every pair, not decoded.
pub(super) fn raw_pairs(query: &str) -> impl Iterator<Item = &str> {
    let before = query.len() - stripped(query.as_bytes()).len();
    query.get(before..).unwrap_or(query).split('&')
}

/// The key of a pair that is not decoded.
pub(super) fn key(pair: &str) -> Cow<'_, str> {
    decoded(pair.split('=').next().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_value_is_found_under_its_plain_key() {
        let found =
            |query| raw_values(query, "token").map(|raw| decoded(raw).into_owned()).collect::<Vec<_>>();
        assert_eq!(found("a=b&token=x+y&token=x%20y&%74oken=z&token&tokens=z"), ["x y", "x y", ""]);
        assert_eq!(found("%EF%BB%BFtoken=a=b%3D"), ["a=b="]);
    }

    proptest! {
        #[test]
        fn values_are_those_of_the_pairs(query in "([a-z=&+é]|%[0-9a-f]{0,2}|token=|&){0,30}") {
            let of_pairs: Vec<_> = pairs(&query).filter(|(key, _)| key == "token").map(|(_, value)| value.into_owned()).collect();
            for raw in raw_values(&query, "token") {
                prop_assert!(of_pairs.contains(&decoded(raw).into_owned()), "{}", raw);
            }
        }
    }
}
