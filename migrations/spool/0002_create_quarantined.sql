-- Spooled callbacks that can never reach the store, and why: they would block those behind them.
CREATE TABLE quarantined (
    id               INTEGER PRIMARY KEY,
    received_at      INTEGER NOT NULL,
    account          TEXT    NOT NULL,
    method           TEXT    NOT NULL,
    content_type     TEXT,
    content_encoding TEXT,
    query            TEXT    NOT NULL,
    body             BLOB    NOT NULL,
    reason           TEXT    NOT NULL
);
