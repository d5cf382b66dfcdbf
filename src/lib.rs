//! dlr-receiver: the delivery callbacks of SMS sent through Exotel, received, understood and kept.
//!
//! Exotel sends an SMS and later calls the sender's `StatusCallback` URL, to say what became of it.
//! This service is that URL. It keeps two promises above all others: a 200 means that the callback is
//! on disk, and the outcome of a message is the same whatever the order and the repeats of its
//! callbacks.
//!
//! # The walk of one callback
//!
//! The modules stand in the order in which a callback passes them. It walks down and never back up:
//! each module may import those below it, which a test enforces.
//!
//! 1. [`http`] asks who is calling and how much it brings: the account in the path, its token in
//!    constant time, a body of 64 KiB at most. No database is touched, and nothing of the body is read
//!    before the token is known to be right.
//! 2. [`ingest`] takes the request over, with the time at which it came in. Everything below answers
//!    to it: a callback is recorded, or its bytes are kept with the reason why it was refused.
//! 3. [`exotel`] reads the bytes, whether form, JSON, multipart or query string, into a
//!    [`StatusCallback`](domain::StatusCallback): what Exotel *said*, field by field.
//! 4. [`domain`] normalises that into a [`DeliveryReceipt`](domain::DeliveryReceipt): what it *means*,
//!    by the table of status codes, the account's time zone and its country. Pure, and without I/O.
//! 5. Receipts of one message merge into a [`DeliveryOutcome`](domain::DeliveryOutcome), a join: it is
//!    commutative, associative and idempotent, and no arrival time takes part.
//!    [`ingest`] gathers them while the commit before is on its way, with no timer.
//! 6. [`storage`] appends the receipts of a batch and merges the outcomes into the stored messages, in
//!    one transaction; on Postgres in one statement. Its SQL spells the same join as step 5, and property
//!    tests hold the two against each other. When it has committed, the answers are 200.
//!
//! While the store fails, the walk ends at step 5: the raw requests go to the spool, a file that is synced
//! before the answer, which is 200 as well. The drain brings them to the store later, from step 3 on and
//! with the time at which they first came in. There is no second path.
//!
//! A question walks the same way: [`http`] checks the API key, [`storage`] finds the message, and a
//! view in [`http`] says it in JSON. A question in Exotel's way has a key and a token of the account's,
//! and [`exotel`] says the answer, or what is wrong, as Exotel's API does.
//!
//! # Around it
//!
//! [`listener`] accepts the connections and bounds what a client may take: number, size and time.
//! [`app`] puts the parts together, the same way for the binary and for tests. [`config`] composes
//! the parts' own configurations and refuses what it does not know. [`telemetry`] writes one log line
//! per request, without personal data, and holds what the layers count. [`retention`] deletes what is too old.
//! [`access`] says who may call an account and who may read it.
//! [`shutdown`] finishes what was accepted. [`cli`] is what an
//! operator types. [`simulator`] plays Exotel against a running receiver, and holds what it answers
//! against [`domain`].

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
