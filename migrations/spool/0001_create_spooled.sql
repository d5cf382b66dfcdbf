-- Callbacks that wait for the store, in the order in which they came: appended during an outage, read
-- from the front and deleted once the store has them. The token of the callback URL is not kept.
CREATE TABLE spooled (
    id               INTEGER PRIMARY KEY,
    received_at      INTEGER NOT NULL,
    account          TEXT    NOT NULL,
    method           TEXT    NOT NULL,
    content_type     TEXT,
    content_encoding TEXT,
    query            TEXT    NOT NULL,
    body             BLOB    NOT NULL
);
