//! From a raw request to a receipt: what a live callback and a drained one have in common.

use std::{collections::HashMap, sync::Arc};

use crate::{
    domain::{Account, AccountName, DeliveryReceipt, Reception, Source, StatusTable, Time},
    exotel::{self, CallbackError, ParsedCallback, RawRequest},
};

/// How a request came, which its bytes do not say.
#[derive(Clone, Copy, Debug)]
pub struct Arrival<'a> {
    /// The account whose URL was called.
    pub account: &'a Account,
    /// When.
    pub received_at: Time,
    /// The recipient that the callback URL was signed for, where a signature authenticated the callback.
    pub signed_for: Option<&'a str>,
}

/// Reads requests by the codes in force and by what is known of their accounts. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Reader {
    pub table: Arc<StatusTable>,
    pub accounts: Arc<HashMap<AccountName, Account>>,
}

impl Reader {
    /// What `request` means.
    pub fn read(
        &self,
        request: &RawRequest,
        Arrival { account, received_at, signed_for }: Arrival<'_>,
    ) -> Result<Box<DeliveryReceipt>, CallbackError> {
        let ParsedCallback { callback, labels, anomalies } = exotel::parse(request)?;
        let (table, source) = (&*self.table, Source::Callback);
        let signed_for = signed_for.map(str::to_owned);
        let reception = Reception { account, table, labels, anomalies, source, received_at, signed_for };
        Ok(Box::new(DeliveryReceipt::normalise(callback, reception)))
    }
}
