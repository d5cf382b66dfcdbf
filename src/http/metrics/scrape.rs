//! `/metrics`: what was counted, and what is looked at only when somebody asks.

use std::time::Duration;

use axum::{
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use tokio::time::timeout;

use crate::{
    domain::Time,
    http::{AppState, openapi::shapes::Refusals},
    ingest::QueueLength,
    storage::{Connections, PendingByAge, SetAside, SpoolStatus},
    telemetry::{Family, Metrics},
};

/// How long the store and the spool may take over their part; what is late is left out.
const PATIENCE: Duration = Duration::from_secs(1);

const BUILD: Family = Family { name: "dlr_build_info", help: "Always 1; the labels say what runs." };
const READY: Family = Family {
    name: "dlr_ready",
    help: "Whether callbacks are taken: the store answers, or there is a spool.",
};
const STORE_UP: Family = Family { name: "dlr_store_up", help: "Whether the database answers." };
const SKEW: Family = Family {
    name: "dlr_clock_skew_seconds",
    help: "How far this process's clock is ahead of the database's; behind it where this is negative.",
};
const CONNECTIONS: Family =
    Family { name: "dlr_database_connections", help: "Connections for questions, by state." };
const CONNECTIONS_MAX: Family = Family {
    name: "dlr_database_connections_max",
    help: "The most connections that there may be for questions.",
};
const QUEUE: Family = Family { name: "dlr_queue_depth", help: "Callbacks that wait for a commit." };
const QUEUE_MAX: Family =
    Family { name: "dlr_queue_capacity", help: "The most callbacks that may wait for a commit." };
const SPOOL: Family =
    Family { name: "dlr_spool_depth", help: "Callbacks in the spool, which wait for the database." };
const SPOOL_BYTES: Family = Family { name: "dlr_spool_bytes", help: "What the spool holds on disk." };
const SPOOL_MAX: Family =
    Family { name: "dlr_spool_max_bytes", help: "The most that the spool may hold on disk." };
const SPOOL_AGE: Family = Family {
    name: "dlr_spool_oldest_age_seconds",
    help: "How long the oldest callback in the spool has waited; 0 where there is none.",
};
const SET_ASIDE: Family = Family {
    name: "dlr_spool_quarantined",
    help: "Callbacks in the spool's quarantine, which can never reach the database.",
};
const DAMAGED: Family = Family {
    name: "dlr_spool_damaged_files",
    help: "Damaged files of the spool that were set aside and are still there.",
};
const MISSING: Family = Family {
    name: "dlr_spool_damaged_missing",
    help: "Acknowledged callbacks that may be missing as their spool was damaged, at most; without files that do not tell.",
};
const STORE_DAMAGED: Family = Family {
    name: "dlr_store_damaged",
    help: "Whether the SQLite file of the store was found damaged; 0 on Postgres, which checks itself.",
};
const PENDING: Family = Family {
    name: "dlr_pending_messages",
    help: "Messages in the database that are on their way, by the age of their first receipt; counted every 30 seconds at most.",
};

/// Metrics.
///
/// In the text format of Prometheus; no key is asked for. What the database or the spool
/// should say, and does not say within a second, is left out.
#[utoipa::path(
    get, path = "/metrics", tag = "Operation", security(()),
    responses(
        (status = 200, description = "Metrics in Prometheus' text format, version 0.0.4", body = String, content_type = "text/plain"),
        Refusals,
    ),
)]
pub(in crate::http) async fn scrape(State(state): State<AppState>) -> Response {
    let now = state.clock.now();
    // Of this moment, so that nothing is told that is no longer known.
    let moment = Metrics::default();
    let (store_up, skew, spool, pending) = tokio::join!(
        store_answers(&state),
        clock_skew(&state),
        timeout(PATIENCE, state.ingest.spool_status()),
        state.operation.pending.count(&state.questions.store, now, PATIENCE),
    );
    tell_service(&moment, &state, store_up);
    if let Some(skew) = skew {
        moment.set(SKEW, &[], skew);
    }
    if state.ingest.has_spool() {
        tell_set_aside(&moment, &state.ingest.set_aside());
    }
    if let Ok(Some(Ok(spool))) = spool {
        tell_spool(&moment, &spool, now);
    }
    if let Some(pending) = pending.filter(|_| store_up) {
        tell_pending(&moment, &pending);
    }
    moment.measure_process();
    let text = state.operation.metrics.render() + &moment.render();
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
}

/// A store that is known to fail is not asked.
async fn store_answers(state: &AppState) -> bool {
    !state.ingest.store_fails() && matches!(timeout(PATIENCE, state.questions.store.ping()).await, Ok(Ok(())))
}

async fn clock_skew(state: &AppState) -> Option<f64> {
    if state.ingest.store_fails() {
        return None;
    }
    let clocks = timeout(PATIENCE, state.questions.store.compare_clocks(&state.clock)).await.ok()?.ok()?;
    Some(clocks.skew.as_seconds_f64())
}

fn tell_service(moment: &Metrics, state: &AppState, store_up: bool) {
    let build = [("version", env!("CARGO_PKG_VERSION")), ("store", state.questions.store.kind())];
    moment.set(BUILD, &build, 1.0);
    moment.set(STORE_UP, &[], f64::from(u8::from(store_up)));
    moment.set(STORE_DAMAGED, &[], f64::from(u8::from(state.questions.store.damage().is_some())));
    moment.set(READY, &[], f64::from(u8::from(store_up || state.ingest.has_spool())));
    let Connections { open, idle, most } = state.questions.store.connections();
    moment.set(CONNECTIONS, &[("state", "idle")], idle.into());
    moment.set(CONNECTIONS, &[("state", "in_use")], open.saturating_sub(idle).into());
    moment.set(CONNECTIONS_MAX, &[], most.into());
    let QueueLength { waiting, most } = state.ingest.queue();
    moment.set(QUEUE, &[], number(waiting as u64));
    moment.set(QUEUE_MAX, &[], number(most as u64));
}

fn tell_spool(moment: &Metrics, spool: &SpoolStatus, now: Time) {
    let age = spool.oldest.map_or(0.0, |oldest| (now - oldest).as_seconds_f64().max(0.0));
    moment.set(SPOOL, &[], number(spool.waiting));
    moment.set(SPOOL_BYTES, &[], number(spool.bytes));
    moment.set(SPOOL_MAX, &[], number(spool.max_bytes));
    moment.set(SPOOL_AGE, &[], age);
    moment.set(SET_ASIDE, &[], number(spool.set_aside));
}

fn tell_set_aside(moment: &Metrics, files: &[SetAside]) {
    let missing = files.iter().filter_map(|file| file.findings?.missing);
    moment.set(DAMAGED, &[], number(files.len() as u64));
    moment.set(MISSING, &[], number(missing.sum()));
}

fn tell_pending(moment: &Metrics, pending: &PendingByAge) {
    for (age, messages) in [
        ("under_1h", pending.under_1h),
        ("1h_to_6h", pending.under_6h),
        ("6h_to_24h", pending.under_24h),
        ("over_24h", pending.over_24h),
    ] {
        moment.set(PENDING, &[("age", age)], number(messages));
    }
}

#[expect(clippy::cast_precision_loss, reason = "what is counted here stays below 2^53")]
fn number(count: u64) -> f64 {
    count as f64
}
