//! The description of the API, made from the code: for programs, and as a page.
//!
//! - `shapes.rs`: what operations have in common; handlers name it
//! - `page.rs`: the page

mod page;
pub(super) mod shapes;

use axum::{
    Json,
    http::header,
    response::{Html, IntoResponse},
};
use serde_json::json;
use utoipa::{
    Modify, OpenApi,
    openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme},
};

use self::shapes::Refusals;
use super::{
    callbacks, compat::described, health, messages, metrics, recipients, rejected, stats, status_codes,
};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "dlr-receiver",
        description = "Takes Exotel's SMS status callbacks and answers questions about them. Times are RFC 3339 in UTC; \
                       errors are RFC 9457 problems.",
        license(name = "MIT"),
    ),
    paths(
        callbacks::receive,
        callbacks::receive_as_query,
        callbacks::receive_with_token,
        callbacks::receive_with_token_as_query,
        messages::list::list,
        messages::export::export,
        messages::lookup::lookup,
        messages::get::get,
        messages::receipts::callbacks,
        stats::get,
        status_codes::list,
        status_codes::get,
        described::sms_details,
        described::campaign_details,
        rejected::list,
        recipients::erase,
        health::livez,
        health::readyz,
        metrics::scrape::scrape,
        describe,
        page_of_it,
    ),
    tags(
        (name = "Callbacks", description = "What Exotel calls"),
        (name = "Messages", description = "What became of messages"),
        (name = "Status codes", description = "The table in force"),
        (name = "Exotel's API", description = "For tools that poll Exotel today"),
        (name = "Operation", description = "For those who run it"),
    ),
    components(schemas(messages::export_format::ExportFormat)),
    modifiers(&ApiKey),
)]
struct Description;

/// Questions need an API key as soon as there is one.
struct ApiKey;

impl Modify for ApiKey {
    fn modify(&self, description: &mut utoipa::openapi::OpenApi) {
        let components = description.components.get_or_insert_default();
        for (name, scheme) in [("bearer", HttpAuthScheme::Bearer), ("basic", HttpAuthScheme::Basic)] {
            let scheme = HttpBuilder::new().scheme(scheme).description(Some("an API key")).build();
            components.add_security_scheme(name, SecurityScheme::Http(scheme));
        }
        let none: [&str; 0] = [];
        let either = ["bearer", "basic"].map(|name| SecurityRequirement::new(name, none));
        description.security = Some(either.into());
    }
}

/// This description.
#[utoipa::path(
    get, path = "/openapi.json", tag = "Operation",
    responses((status = 200, description = "OpenAPI 3.1", body = Object), Refusals),
)]
pub(super) async fn describe() -> impl IntoResponse {
    Json(Description::openapi())
}

/// This page.
#[utoipa::path(
    get, path = "/docs", tag = "Operation",
    responses((status = 200, description = "The description of the API", body = String, content_type = "text/html"), Refusals),
)]
pub(super) async fn page_of_it() -> impl IntoResponse {
    let page = page::rendered(&json!(Description::openapi()));
    ([(header::CONTENT_SECURITY_POLICY, page::POLICY.clone())], Html(page.into_string()))
}
