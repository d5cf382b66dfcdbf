-- An ascending number for each message, so that the log of receipts can name its message by something
-- that grows: an index by sid is written to at random places, which costs more than the rows do.
-- The messages themselves then stand in the order in which they came, too.
CREATE TABLE numbered (
    id                   INTEGER PRIMARY KEY,
    sent_at              INTEGER,
    first_received_at    INTEGER NOT NULL,
    last_received_at     INTEGER NOT NULL,
    detailed_status_code INTEGER,
    sms_units            INTEGER,
    anomalies            INTEGER NOT NULL,
    callbacks            INTEGER NOT NULL,
    evidence             INTEGER NOT NULL,
    specific             BOOLEAN NOT NULL,
    sid                  TEXT    NOT NULL,
    account              TEXT    NOT NULL,
    status               TEXT,
    detailed_status      TEXT,
    outcome              TEXT    NOT NULL,
    category             TEXT    NOT NULL,
    retry                TEXT    NOT NULL,
    confirmed_by         TEXT    NOT NULL,
    recipient            TEXT,
    recipient_raw        TEXT,
    custom_field         TEXT,
    labels               TEXT    NOT NULL,
    UNIQUE (sid, account)
);

INSERT INTO numbered (
    sent_at, first_received_at, last_received_at, detailed_status_code, sms_units, anomalies,
    callbacks, evidence, specific, sid, account, status, detailed_status, outcome, category, retry,
    confirmed_by, recipient, recipient_raw, custom_field, labels
)
SELECT
    sent_at, first_received_at, last_received_at, detailed_status_code, sms_units, anomalies,
    callbacks, evidence, specific, sid, account, status, detailed_status, outcome, category, retry,
    confirmed_by, recipient, recipient_raw, custom_field, labels
FROM messages ORDER BY first_received_at;

DROP TABLE messages;
ALTER TABLE numbered RENAME TO messages;
