//! Exotel's detailed status codes.
//!
//! Source: the table in Exotel's reference of SMS details; the codes of DLT's error families
//! (23181 to 23281) from its glossary of DLT errors.

use std::borrow::Cow::Borrowed;

use super::{Category, Outcome, Retry, Status, StatusCode};

/// One line a code: number, status, name, outcome, category, retry: meaning.
macro_rules! status_codes {
    ($($code:literal $status:ident $name:ident $outcome:ident $category:ident $retry:ident: $meaning:literal,)*) => {
        [$(StatusCode {
            code: $code,
            status: Status::$status,
            name: Borrowed(stringify!($name)),
            outcome: Outcome::$outcome,
            category: Category::$category,
            retry: Retry::$retry,
            meaning: Borrowed($meaning),
        },)*]
    };
}

/// By code, ascending.
#[rustfmt::skip]
pub(super) static EXOTEL: [StatusCode; 33] = status_codes! {
    20005 Sent DELIVERED_TO_HANDSET Delivered Handset None:
        "The recipient's handset confirmed it",
    20006 Sent DELIVERED_TO_OPERATOR Delivered Operator None:
        "The operator has taken it over; many routes never report more than this",
    21010 Queued PENDING_TO_OPERATOR Pending InTransit Wait:
        "Exotel has it and is working on it",
    21015 Sending SENDING_TO_OPERATOR Pending InTransit Wait:
        "Exotel is passing it to the operator",
    21020 Submitted PENDING_ON_OPERATOR Pending InTransit Wait:
        "The operator has it; promotional SMS in India wait here until the permitted hours begin",
    23005 FailedDnd FAILED_REJECTED_DND Failed Recipient Never:
        "The recipient is on the Do Not Disturb register",
    23010 Failed FAILED_INVALID_DESTINATION_NUMBER Failed Recipient Never:
        "The number is wrong, a landline, or cannot receive SMS",
    23015 Failed FAILED_SPAM_DETECTED Failed Content AfterFix:
        "A carrier's spam filter stopped it",
    23020 Failed FAILED_REJECTED_BLACKLIST Failed Recipient Never:
        "The recipient has opted out of this sender's messages",
    23030 Failed FAILED_UNAVAILABLE_ROUTE Failed Network Later:
        "No carrier offered a route",
    23035 Failed FAILED_SUBSCRIBER_UNAVAILABLE Failed Recipient Later:
        "The handset was switched off or out of coverage",
    23040 Failed FAILED_SUBSCRIBER_UNKNOWN Failed Recipient Never:
        "The number does not exist or is no longer in use",
    23050 Failed FAILED_EXPIRED Failed Network Later:
        "Its validity ran out before it could be delivered",
    23060 Failed FAILED_REJECTED Failed Other Investigate:
        "Exotel or the operator rejected it; several reasons share this code",
    23070 Failed FAILED_INVALID_MESSAGE Failed Content AfterFix:
        "The message is malformed, longer than 2000 characters, or holds a character that cannot be sent",
    23072 Failed FAILED_INVALID_SENDER_ID Failed Compliance AfterFix:
        "The sender id (header) is invalid or not registered",
    23080 Failed SENDER_BLOCKED_BY_DLT Failed Compliance AfterFix:
        "DLT (India): the header is blocked or does not match",
    23081 Failed ENTITY_BLOCKED_BY_DLT Failed Compliance AfterFix:
        "DLT (India): the entity id is missing or does not match",
    23082 Failed TEMPLATE_BLOCKED_BY_DLT Failed Compliance AfterFix:
        "DLT (India): the template is missing or the text differs from it",
    23083 Failed FAILED_DLT_SCRUBBING_ERROR Failed Compliance AfterFix:
        "DLT (India): blocked in scrubbing although everything is registered",
    23084 Failed FAILED_DLT_CONSENT_ERROR Failed Compliance AfterFix:
        "DLT (India): the recipient's consent is not registered",
    23181 Failed DLT_TEMPLATE_ID_INVALID Failed Compliance AfterFix:
        "DLT (India): the template id is invalid; some operators report 23182 for this",
    23182 Failed DLT_TEMPLATE_NOT_FOUND Failed Compliance AfterFix:
        "DLT (India): no template has this id",
    23183 Failed DLT_TEMPLATE_ID_INACTIVE Failed Compliance AfterFix:
        "DLT (India): the template id is inactive",
    23184 Failed DLT_TEMPLATE_ID_BLACKLISTED Failed Compliance AfterFix:
        "DLT (India): the template id is blacklisted",
    23185 Failed DLT_TEMPLATE_DOES_NOT_MATCH Failed Compliance AfterFix:
        "DLT (India): the text does not match the template; some operators report 23186 for this",
    23186 Failed DLT_LENGTH_EXCEEDED Failed Compliance AfterFix:
        "DLT (India): the text is longer than the template allows",
    23281 Failed DLT_ENTITY_NOT_FOUND Failed Compliance AfterFix:
        "DLT (India): no such entity; some operators report 23081 for this",
    24010 Failed FAILED_SYSTEM_ERROR Failed Platform Later:
        "Exotel failed while processing it",
    24105 Failed FAILED_HANDSET_ERROR Failed Recipient Later:
        "The handset could not take it",
    24110 Failed FAILED_OPERATOR_ERROR Failed Network Later:
        "The operator had a failure",
    24120 Failed FAILED_SUBSCRIBER_ERROR Failed Recipient Later:
        "A problem on the recipient's side other than the handset, such as no balance",
    24990 Failed FAILED_UNKNOWN_ERROR Failed Other Investigate:
        "Neither Exotel nor its carriers know the reason",
};
