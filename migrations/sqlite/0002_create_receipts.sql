-- Every receipt as it came, and what was made of it. Append-only.
-- The one index answers "every receipt of this message, oldest first".
CREATE TABLE receipts (
    id                   INTEGER PRIMARY KEY,
    received_at          INTEGER NOT NULL,
    sent_at              INTEGER,
    delivered_at         INTEGER,
    updated_at           INTEGER,
    detailed_status_code INTEGER,
    sms_units            INTEGER,
    anomalies            INTEGER NOT NULL,
    evidence             INTEGER NOT NULL,
    specific             BOOLEAN NOT NULL,
    sid                  TEXT    NOT NULL,
    account              TEXT    NOT NULL,
    source               TEXT    NOT NULL,
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
    fields               TEXT    NOT NULL
);

CREATE INDEX receipts_sid ON receipts (sid, received_at, id);
