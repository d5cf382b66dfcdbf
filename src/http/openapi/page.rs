//! The description of the API as a page, which needs nothing from anywhere else: no script, no font.

use std::sync::LazyLock;

use axum::http::HeaderValue;
use base64::{Engine, prelude::BASE64_STANDARD};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use serde_json::Value;
use sha2::{Digest, Sha256};

const STYLE: &str = include_str!("page.css");

/// Nothing may be loaded or run; the one style is known by its digest.
pub(super) static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let digest = BASE64_STANDARD.encode(Sha256::digest(STYLE));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    policy.try_into().expect("a policy is ASCII")
});

/// The page that shows `api`.
pub(super) fn rendered(api: &Value) -> Markup {
    let tags = api["tags"].as_array().into_iter().flatten();
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (text(&api["info"]["title"])) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                h1 { (text(&api["info"]["title"])) " " small { (text(&api["info"]["version"])) } }
                p { (text(&api["info"]["description"])) " The same for programs: " a href="openapi.json" { "openapi.json" } "." }
                @for tag in tags {
                    h2 { (text(&tag["name"])) }
                    (markdown(&tag["description"]))
                    @for (path, method, operation) in operations(api, &tag["name"]) { (shown(path, method, operation)) }
                }
                h2 { "Shapes" }
                @for (name, schema) in entries(&api["components"]["schemas"]) {
                    h3 id=(name) { (name) }
                    (markdown(&schema["description"]))
                    (properties(schema))
                }
            }
        }
    }
}

fn operations<'a>(api: &'a Value, tag: &'a Value) -> impl Iterator<Item = (&'a str, &'a str, &'a Value)> {
    let operations = entries(&api["paths"])
        .flat_map(|(path, item)| entries(item).map(move |(method, operation)| (path, method, operation)));
    operations.filter(move |(_, _, operation)| operation["tags"][0] == *tag)
}

fn shown(path: &str, method: &str, operation: &Value) -> Markup {
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    html! {
        section {
            h3 { code { (method.to_uppercase()) " " (path) } }
            (markdown(&operation["summary"]))
            (markdown(&operation["description"]))
            table {
                @for parameter in parameters {
                    tr {
                        th { code { (text(&parameter["name"])) } @if parameter["required"] == true { " *" } }
                        td { (kind(&parameter["schema"])) }
                        td { (markdown(&parameter["description"])) (example(parameter)) }
                    }
                }
                @for (media, body) in entries(&operation["requestBody"]["content"]) {
                    tr { th { "body" } td { (kind(&body["schema"])) } td { code { (media) } } }
                }
                @for (status, response) in entries(&operation["responses"]) {
                    tr {
                        th { (status) }
                        td { @for (media, body) in entries(&response["content"]) { (kind(&body["schema"])) " " code { (media) } " " } }
                        td { (markdown(&response["description"])) }
                    }
                }
            }
        }
    }
}

/// The properties of a schema, with those of what it is composed of.
fn properties(schema: &Value) -> Markup {
    let words = schema["enum"].as_array().into_iter().flatten();
    html! {
        @for word in words { code { (text(word)) } " " }
        @for part in schema["allOf"].as_array().into_iter().flatten() {
            @if part["$ref"].is_string() { p { "and all of " (kind(part)) } } @else { (properties(part)) }
        }
        @if !schema["properties"].is_null() {
            table {
                @for (name, property) in entries(&schema["properties"]) {
                    tr {
                        th { code { (name) } }
                        td { (kind(property)) }
                        td { (markdown(&property["description"])) (example(property)) }
                    }
                }
            }
        }
    }
}

/// A schema in a word, with a link to its shape.
fn kind(schema: &Value) -> Markup {
    let alternatives = ["oneOf", "anyOf"].iter().find_map(|key| schema[*key].as_array());
    html! {
        @if let Some(name) = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
            a href={ "#" (name) } { (name) }
        } @else if let Some(alternatives) = alternatives {
            @for (at, alternative) in alternatives.iter().enumerate() { @if at > 0 { " or " } (kind(alternative)) }
        } @else if schema["items"].is_object() {
            "list of " (kind(&schema["items"]))
        } @else {
            (match &schema["type"] {
                Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" or "),
                kind => text(kind).to_owned(),
            })
        }
    }
}

fn example(described: &Value) -> Markup {
    html! {
        @if !described["example"].is_null() {
            p.example { "Example: " code { (match &described["example"] { Value::String(text) => text.clone(), other => other.to_string() }) } }
        }
    }
}

/// A description, which is `CommonMark` in `OpenAPI`. All of them are our own: nothing that strangers send is rendered.
fn markdown(description: &Value) -> Markup {
    let mut rendered = String::new();
    pulldown_cmark::html::push_html(&mut rendered, pulldown_cmark::Parser::new(text(description)));
    PreEscaped(rendered)
}

fn entries(object: &Value) -> impl Iterator<Item = (&str, &Value)> {
    object.as_object().into_iter().flatten().map(|(name, value)| (name.as_str(), value))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn descriptions_are_rendered_and_examples_stand_apart() {
        let parameter = json!({"description": "The account, as `?account=` names it", "example": "default"});
        assert_eq!(
            (markdown(&parameter["description"]).into_string() + &example(&parameter).into_string())
                .replace('\n', ""),
            "<p>The account, as <code>?account=</code> names it</p>\
             <p class=\"example\">Example: <code>default</code></p>"
        );
        assert_eq!(markdown(&Value::Null).into_string(), "");
        assert_eq!(markdown(&json!("a < b")).into_string(), "<p>a &lt; b</p>\n");
    }
}
