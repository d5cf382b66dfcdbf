//! What a callback means, without any I/O.
//!
//! The vocabulary of the service: a [`StatusCallback`] is what Exotel said, a [`DeliveryReceipt`] is
//! that one event normalised, a [`DeliveryOutcome`] is what all receipts of a message add up to.
//! May import nothing of this crate, and neither sqlx, axum nor tokio.

mod account;
mod anomaly;
mod batch;
mod classification;
mod clock;
mod erasure;
mod field;
mod label;
mod message;
mod message_sid;
mod number_text;
mod numbering;
mod outcome;
mod participation;
mod provider_time;
mod raw_field;
mod reading;
mod receipt;
mod recipient;
mod status;
mod status_callback;
mod status_code;
mod verdict;
mod written_time;

pub use account::{Account, AccountName, BadAccountName};
pub use anomaly::{Anomalies, Anomaly};
pub use batch::Batch;
pub use clock::{Clock, Time};
pub use erasure::Forgotten;
pub use field::Field;
pub use label::Labels;
pub use message::Message;
pub use message_sid::{BadMessageSid, MessageSid};
pub use outcome::DeliveryOutcome;
pub use participation::{Standing, participation};
pub use provider_time::ProviderTime;
pub use raw_field::{OriginalBytes, RawField};
pub use receipt::{DeliveryReceipt, Reception, Source};
pub use recipient::{Country, Recipient};
pub use status::{ReportedStatus, Status};
pub use status_callback::{NotAStatusCallback, StatusCallback};
pub use status_code::{BadStatusCode, StatusCode, StatusCodeConfig, StatusTable};
pub use verdict::{Category, ConfirmedBy, Evidence, Outcome, Retry, Verdict};
pub use written_time::WrittenTime;
