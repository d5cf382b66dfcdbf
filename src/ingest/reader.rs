//! From a raw request to a receipt: what a live callback and a drained one have in common.

use std::{collections::HashMap, sync::Arc};

use crate::{
    domain::{Account, AccountName, DeliveryReceipt, Reception, Source, StatusTable, Time},
    exotel::{self, CallbackError, ParsedCallback, RawRequest},
};

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
        account: &Account,
        received_at: Time,
    ) -> Result<Box<DeliveryReceipt>, CallbackError> {
        let ParsedCallback { callback, labels, anomalies } = exotel::parse(request)?;
        let (table, source) = (&*self.table, Source::Callback);
        let reception = Reception { account, table, labels, anomalies, source, received_at };
        Ok(Box::new(DeliveryReceipt::normalise(callback, reception)))
    }
}
