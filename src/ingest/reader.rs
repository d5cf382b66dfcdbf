//! From a raw request to a receipt: the same for a callback that comes in and for one that is replayed.

use std::{collections::HashMap, sync::Arc};

use crate::{
    domain::{Account, AccountName, DeliveryReceipt, Reception, Source, StatusTable, Time},
    exotel::{self, CallbackError, ParsedCallback, RawRequest},
};

/// How a request came: what its bytes do not say.
#[derive(Clone, Copy, Debug)]
pub struct Arrival<'a> {
    /// The account that it belongs to.
    pub account: &'a Account,
    /// Who says what it says.
    pub source: Source,
    /// When it was received.
    pub received_at: Time,
    /// The recipient that the callback URL was signed for, where a signature authenticated the callback.
    pub signed_for: Option<&'a str>,
}

/// Reads requests by the table of status codes and by the settings of their accounts. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Reader {
    pub table: Arc<StatusTable>,
    pub accounts: Arc<HashMap<AccountName, Account>>,
}

impl Reader {
    /// What a request says.
    pub fn parse(request: &RawRequest) -> Result<ParsedCallback, CallbackError> {
        exotel::parse(request)
    }

    /// What a parsed request means.
    pub fn normalise(&self, parsed: ParsedCallback, arrival: Arrival<'_>) -> Box<DeliveryReceipt> {
        let ParsedCallback { callback, labels, anomalies } = parsed;
        let Arrival { account, source, received_at, signed_for } = arrival;
        let signed_for = signed_for.map(str::to_owned);
        let table = &*self.table;
        let reception = Reception { account, table, labels, anomalies, source, received_at, signed_for };
        Box::new(DeliveryReceipt::normalise(callback, reception))
    }

    /// Parses and normalises at once.
    pub fn read(
        &self,
        request: &RawRequest,
        arrival: Arrival<'_>,
    ) -> Result<Box<DeliveryReceipt>, CallbackError> {
        Ok(self.normalise(Self::parse(request)?, arrival))
    }
}
