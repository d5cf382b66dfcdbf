//! A callback of any bytes: it is refused, or read and normalised, always in the same way.

#![no_main]

use std::sync::LazyLock;

use dlr_receiver::{
    domain::{Account, AccountName, DeliveryReceipt, Reception, Source, StatusTable, Time},
    exotel::{RawRequest, parse},
};
use libfuzzer_sys::{Corpus, fuzz_target};

static ACCOUNT: LazyLock<Account> = LazyLock::new(|| {
    Account::unconfigured(AccountName::new("fuzz").expect("a name"))
});
static TABLE: LazyLock<StatusTable> = LazyLock::new(StatusTable::default);

const BOUNDARY: &str = "multipart/form-data; boundary=b";

/// The first byte is the kind of request; a line ends its query string.
fn request(input: &[u8]) -> Option<RawRequest> {
    let (kind, rest) = input.split_first()?;
    let mut lines = rest.splitn(2, |byte| *byte == b'\n');
    let query = str::from_utf8(lines.next()?).ok()?.to_owned();
    let body = lines.next().unwrap_or_default().to_owned().into();
    let content_type = match kind {
        b'g' => return Some(RawRequest::Get { query }),
        b'j' => Some("application/json".to_owned()),
        b'm' => Some(BOUNDARY.to_owned()),
        b'f' => None,
        _ => return None,
    };
    Some(RawRequest::Post { content_type, content_encoding: None, query, body })
}

fn read(request: &RawRequest) -> Option<DeliveryReceipt> {
    let parsed = parse(request).ok()?;
    let reception = Reception {
        account: &ACCOUNT,
        table: &TABLE,
        labels: parsed.labels,
        anomalies: parsed.anomalies,
        source: Source::Callback,
        received_at: Time::UNIX_EPOCH,
        signed_for: None,
    };
    Some(DeliveryReceipt::normalise(parsed.callback, reception))
}

fuzz_target!(|input: &[u8]| -> Corpus {
    let Some(request) = request(input) else { return Corpus::Reject };
    let Some(receipt) = read(&request) else { return Corpus::Keep };
    assert!(!receipt.sid.as_str().is_empty(), "a receipt names its message");
    let shown = format!("{:?} {:?}", receipt.outcome.recipient, receipt.fields);
    if let Some(number) = &receipt.outcome.recipient.e164 {
        assert!(!shown.contains(number.as_str()), "a receipt shows its recipient");
    }
    let again = read(&request).expect("what was read can be read again");
    let mut merged = receipt.outcome.clone();
    merged.merge(&again.outcome);
    assert!(merged == receipt.outcome, "a repeated callback changes the outcome");
    Corpus::Keep
});
