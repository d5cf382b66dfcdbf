-- The recipient that a callback URL was signed for. The signature itself is not kept, so that a drained callback
-- could not be told from one that a token authenticated.
ALTER TABLE spooled ADD COLUMN signed_for TEXT;
ALTER TABLE quarantined ADD COLUMN signed_for TEXT;
