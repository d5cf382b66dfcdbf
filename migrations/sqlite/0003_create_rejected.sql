-- Bodies that were refused, byte for byte, and why: what a sender got wrong can be looked at, and
-- nothing that Exotel says is lost. Bounded by count and age, so both are indexed; ids are never
-- used twice, since the count goes by them.
CREATE TABLE rejected (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    received_at  INTEGER NOT NULL,
    account      TEXT    NOT NULL,
    content_type TEXT,
    reason       TEXT    NOT NULL,
    body         BLOB    NOT NULL
);

CREATE INDEX rejected_received_at ON rejected (received_at);
