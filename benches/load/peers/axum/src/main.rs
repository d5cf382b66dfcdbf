//! A plain axum handler with one INSERT per request, as one would write it. Arguments: the port, and
//! `--no-store` for the same parsing and the same answer without a database.

use std::{collections::HashMap, env, sync::LazyLock};

use axum::{Form, Json, Router, extract::State, http::StatusCode, routing::post};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sqlx::postgres::{PgPool, PgPoolOptions};
use tokio::net::TcpListener;

const RECORD: &str = include_str!("../../record.sql");

static CODES: LazyLock<HashMap<i32, Meaning>> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../codes.json")).expect("a table of codes"));

#[derive(Deserialize)]
struct Meaning {
    status: String,
    outcome: String,
    evidence: i16,
    category: String,
    retry: String,
    confirmed_by: String,
}

#[derive(Serialize)]
struct Recorded {
    status: &'static str,
    sid: String,
}

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = env::args().collect();
    let store =
        if arguments.iter().any(|argument| argument == "--no-store") { None } else { Some(pool().await) };
    let service = Router::new().route("/callbacks", post(receive)).with_state(store);
    let listener = TcpListener::bind(format!("127.0.0.1:{}", arguments[1])).await.expect("a free port");
    axum::serve(listener, service).await.expect("a listener that works");
}

async fn pool() -> PgPool {
    // Of 4 to 48 connections 16 were best on two cores, with 8 to 24 close; POOL tries others.
    PgPoolOptions::new()
        .max_connections(env::var("POOL").map_or(16, |size| size.parse().expect("a number")))
        // By default each use of a connection is preceded by a ping, a round trip more.
        .test_before_acquire(false)
        .connect(&env::var("DATABASE_URL").expect("DATABASE_URL"))
        .await
        .expect("a database")
}

async fn receive(
    State(store): State<Option<PgPool>>,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Json<Recorded>, StatusCode> {
    let fields: Map<String, Value> =
        pairs.into_iter().map(|(key, value)| (key, Value::String(value))).collect();
    let text = |key: &str| fields.get(key).and_then(Value::as_str).ok_or(StatusCode::UNPROCESSABLE_ENTITY);
    let number = |key: &str| text(key)?.parse::<i32>().map_err(|_| StatusCode::UNPROCESSABLE_ENTITY);
    let (sid, to, code) = (text("SmsSid")?, text("To")?, number("DetailedStatusCode")?);
    let meaning = CODES.get(&code).ok_or(StatusCode::UNPROCESSABLE_ENTITY)?;
    let statement = sqlx::query(RECORD)
        .bind(sid)
        .bind(text("DateSent")?)
        .bind(code)
        .bind(number("SmsUnits")?)
        .bind(meaning.evidence)
        .bind(&meaning.status)
        .bind(text("DetailedStatus")?)
        .bind(&meaning.outcome)
        .bind(&meaning.category)
        .bind(&meaning.retry)
        .bind(&meaning.confirmed_by)
        .bind(format!("+91{}", to.trim_start_matches('0')))
        .bind(to)
        .bind(text("CustomField")?)
        .bind(serde_json::to_string(&fields).expect("texts are JSON"));
    if let Some(pool) = store {
        statement.execute(&pool).await.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
    }
    Ok(Json(Recorded { status: "recorded", sid: sid.to_owned() }))
}
