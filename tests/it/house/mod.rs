//! The house itself: its layers and names, its documents, its schema and what it is deployed with.

mod circles;
mod deploy;
mod documents;
mod examples;
mod layering;
mod names;
mod plans;
mod quick;
mod schema;
mod unused;
