//! dlr-receiver
pub mod app;
pub mod cli;
pub mod config;
pub mod domain;
pub mod exotel;
pub mod http;
pub mod ingest;
pub mod shutdown;
pub mod storage;
pub mod telemetry;
