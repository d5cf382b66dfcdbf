-- One row per message: the outcome that all its receipts add up to.
-- Times are microseconds since the Unix epoch; texts compare by bytes, SQLite's default.
CREATE TABLE messages (
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
    PRIMARY KEY (sid, account)
) WITHOUT ROWID;
