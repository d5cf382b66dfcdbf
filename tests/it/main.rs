//! The service's tests from outside: through HTTP, through its binary, and through its store.
//!
//! Run by `tests/run`, which starts the Postgres that half of them need.

#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it should be")]

mod support;

mod accounts;
mod attacks;
mod binary;
mod bodies;
mod callbacks;
mod callers;
mod clocks;
mod compat;
mod crash;
mod durability;
mod erase;
mod exports;
mod health;
mod house;
mod keys;
mod listener;
mod listeners;
mod lists;
mod logs;
mod merge_laws;
mod merge_sql;
mod messages;
mod metrics;
mod numbers;
mod openapi;
mod questions;
mod rejected;
mod replicas;
mod retention;
mod robustness;
mod samples;
mod signed;
mod simulate;
mod starts;
mod stats;
mod status_codes;
mod times;
mod traces;
