-- The recipient that a callback URL was signed for: such a receipt takes part in the outcome of no other
-- recipient's message. The message keeps it too, where no other receipt names a number, so that the statement that
-- merges sees a contradiction without reading the log. Null costs neither table a byte.
ALTER TABLE messages ADD COLUMN signed_for text COLLATE "C";
ALTER TABLE receipts ADD COLUMN signed_for text COLLATE "C";
