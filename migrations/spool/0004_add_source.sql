-- Who says what a request says. So far every request was a callback; a details answer that is spooled must not be
-- drained as one.
ALTER TABLE spooled ADD COLUMN source TEXT NOT NULL DEFAULT 'callback';
ALTER TABLE quarantined ADD COLUMN source TEXT NOT NULL DEFAULT 'callback';
