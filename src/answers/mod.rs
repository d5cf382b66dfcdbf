//! What is answered: the views of messages, receipts and statistics, as JSON and as the API's description shows them.
//! Each is written in one place, whoever renders it. May import `domain` and `storage`.

mod message;
mod receipt;
mod statistics;
mod words;

pub use self::{
    message::{MessageView, MessagesView},
    receipt::{ReceiptView, ReceiptsView},
    statistics::{GroupView, StatsView},
    words::{CategoryWord, ConfirmedByWord, OutcomeWord, RetryWord, StatusWord},
};
