-- Who does what only one process does at a time, and until when, by the database's clock: a command may
-- run beside the service.
CREATE TABLE leases (
    name       TEXT    NOT NULL PRIMARY KEY,
    holder     TEXT    NOT NULL,
    expires_at INTEGER NOT NULL
) WITHOUT ROWID;
