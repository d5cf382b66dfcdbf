//! Every route of the service in one list, and the middleware around them in order.
//!
//! May import what stands below: `access`, `answers`, `domain`, `exotel`, `ingest`, `storage`, and the leaves `pace`, `secret_url`
//! and `telemetry`.

mod accounts;
mod api_key;
mod auth;
mod callbacks;
mod compat;
mod config;
mod deadline;
mod extract;
mod fallback;
mod health;
mod messages;
mod metrics;
mod negotiation;
mod openapi;
mod pace;
mod problem;
mod problem_kind;
mod problem_of_error;
mod question;
mod recipients;
mod rejected;
mod state;
mod stats;
mod status_codes;
mod trace;
mod unanswered;

use axum::{
    Router,
    handler::Handler,
    http::{HeaderValue, header},
    middleware::from_fn_with_state,
    routing::{MethodRouter, get, post},
};
use tower::ServiceBuilder;
use tower_http::{
    catch_panic::CatchPanicLayer,
    compression::{CompressionLayer, DefaultPredicate, Predicate, predicate::NotForContentType},
    normalize_path::NormalizePath,
    set_header::SetResponseHeaderLayer,
};

pub use api_key::{API_KEY_PREFIX, ApiKeyConfig, ApiKeyList, KeyDigest, Scope};
pub use config::{AuthConfig, BadHttp, Exposure, HttpConfig, LimitsConfig};
pub use problem::Problem;
pub use problem_kind::ProblemKind;
pub use state::{AppState, Parts};

use messages::export_format::WORKBOOK;

/// The routes that Exotel may reach: callbacks and liveness.
fn public_routes() -> Router<AppState> {
    Router::new()
        .route("/callbacks/exotel/{account}", callback(callbacks::receive))
        .route("/callbacks/exotel/{account}/{token}", callback(callbacks::receive_with_token))
        .route("/livez", get(health::livez))
}

/// The routes for internal tools and operators.
fn internal_routes(state: &AppState) -> Router<AppState> {
    let readers =
        from_fn_with_state(auth::Required { state: state.clone(), scope: Scope::Read }, auth::require);
    let admins =
        from_fn_with_state(auth::Required { state: state.clone(), scope: Scope::Admin }, auth::require);
    let deadline = from_fn_with_state(state.clone(), deadline::end);
    Router::new()
        .route("/messages", get(messages::list::list))
        .route("/messages/export", get(messages::export::export).layer(compression()))
        .route("/messages/lookup", post(messages::lookup::lookup))
        .route("/messages/{sid}", get(messages::get::get))
        .route("/messages/{sid}/callbacks", get(messages::receipts::callbacks))
        .route("/stats", get(stats::get))
        .route("/status-codes", get(status_codes::list))
        .route("/status-codes/{code}", get(status_codes::get))
        .route("/rejected", get(rejected::list))
        .route("/openapi.json", get(openapi::describe))
        .route("/docs", get(openapi::page_of_it))
        .route_layer(readers)
        .merge(Router::new().route("/recipients/erase", post(recipients::erase)).route_layer(admins))
        .route_layer(deadline)
        // These have timeouts of their own, and must answer while others are at their deadline.
        .route("/readyz", get(health::readyz))
        .route("/metrics", get(metrics::scrape::scrape))
        .merge(compat::routes())
}

/// Compresses exports, except workbooks, which are compressed already.
fn compression() -> CompressionLayer<impl Predicate> {
    CompressionLayer::new().compress_when(DefaultPredicate::new().and(NotForContentType::const_new(WORKBOOK)))
}

/// What a listener serves. A trailing slash of the URL is ignored: it is easily typed, and would lose every callback.
pub type HttpService = NormalizePath<Router>;

/// The service of the public listener, where the internal one is separate.
#[must_use]
pub fn public(state: AppState) -> HttpService {
    layered(public_routes(), state)
}

/// The internal listener's service.
#[must_use]
pub fn internal(state: AppState) -> HttpService {
    layered(internal_routes(&state).route("/livez", get(health::livez)), state)
}

/// The service of a listener for everything.
#[must_use]
pub fn combined(state: AppState) -> HttpService {
    layered(public_routes().merge(internal_routes(&state)), state)
}

/// The middleware, from the outside in: metrics, log line, security headers, panics, then the route.
fn layered(routes: Router<AppState>, state: AppState) -> HttpService {
    let header = |name, value| SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value));
    // One combined layer: each separate layer of a router costs an allocation per request.
    let layers = ServiceBuilder::new()
        .layer(metrics::Measure(state.operation.routes.clone()))
        .layer(trace::request_line())
        .layer(header(header::CACHE_CONTROL, "no-store"))
        .layer(header(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(CatchPanicLayer::custom(fallback::panicked));
    let service = routes
        .fallback(fallback::no_such_route)
        .method_not_allowed_fallback(fallback::method_not_allowed)
        .layer(layers)
        .with_state(state);
    NormalizePath::trim_trailing_slash(service)
}

/// GET and POST. HEAD is refused: axum would route it to GET, and a probe is no callback.
fn callback<T: 'static>(handler: impl Handler<T, AppState>) -> MethodRouter<AppState> {
    get(handler.clone()).post(handler).head(callbacks::refuse_method).fallback(callbacks::refuse_method)
}
