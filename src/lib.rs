//! dlr-receiver: receives the delivery receipts of SMS sent through Exotel, normalises them and stores them durably.
//!
//! Exotel sends an SMS and later calls the sender's `StatusCallback` URL to say what became of it. This service is that
//! URL. It keeps two promises above all others: a 200 means that the callback is on disk, and the outcome of a message
//! is the same whatever the order and the duplicates of its callbacks.
//!
//! # The walk of one callback
//!
//! A callback passes the layers from top to bottom and never goes back up: each layer imports only those below it,
//! which a test enforces. `docs/architecture.md` names the files.
//!
//! 1. [`listener`] accepts the connection and bounds its size and its time.
//! 2. [`http`] authenticates: the account in the path, its token or signature in constant time, before a byte of the
//!    body is read. Then it reads the body, 64 KiB at most.
//! 3. [`ingest`] takes over, with the time of reception. It has [`exotel`] read the bytes, whether form, JSON, multipart
//!    or query string, into a [`StatusCallback`](domain::StatusCallback): what Exotel *said*, field by field. What is no
//!    callback is kept in the log of refused bodies, with the reason.
//! 4. [`domain`] normalises that into a [`DeliveryReceipt`](domain::DeliveryReceipt): what it *means*, by the table of
//!    status codes and the account's time zone and country. Pure, without I/O.
//! 5. [`ingest`] queues the receipt. While one batch is being committed the next one gathers; there is no timer. It
//!    merges the receipts of a [`Batch`](domain::Batch) into messages. The merge of outcomes
//!    ([`DeliveryOutcome`](domain::DeliveryOutcome)) is a join: commutative, associative and idempotent. The time of
//!    reception takes no part in it.
//! 6. [`storage`] appends the receipts and merges the messages with the stored ones in one transaction; on Postgres it is
//!    one statement. Its SQL spells the same join as step 5, and property tests compare the two. After the commit the
//!    answer is 200.
//!
//! While the database fails, the walk ends at step 5: raw requests go to the spool, a file that is synced before the
//! answer, which is 200 as well. The drain replays them later, from step 3 on and with the time of their reception. There
//! is no second path.
//!
//! # The walk of one question
//!
//! [`http`] checks the API key and reads the parameters, [`storage`] finds the messages, and a view in [`answers`] renders
//! them. A question in Exotel's way has an account's key and token, and [`exotel`] writes the answer as Exotel's API does.
//!
//! # Around them
//!
//! [`app`] puts the parts together, the same way for the binary and for tests. [`config`] composes the configurations of
//! the layers. [`access`] holds accounts as configured: tokens, signatures, networks. [`retention`] deletes what is too
//! old. [`cli`] is what an operator types. [`simulator`] plays Exotel against a running receiver and compares its answers
//! with [`domain`].
//!
//! Leaves, which the layers above share: [`background`] runs periodic jobs, [`client`] sends requests to other hosts,
//! [`pace`] lets work yield to callbacks, [`telemetry`] writes log lines, metrics and traces, [`shutdown`] ends the service
//! in time, [`secret_url`] redacts URLs.

pub mod cli;

pub mod simulator;

pub mod app;
pub mod config;
pub mod shutdown;
pub mod telemetry;

pub mod listener;

pub mod http;

pub mod answers;

pub mod ingest;

pub mod retention;

pub mod storage;

pub mod access;
pub mod exotel;

pub mod domain;

pub mod background;
pub mod client;
pub mod pace;
pub mod secret_url;
