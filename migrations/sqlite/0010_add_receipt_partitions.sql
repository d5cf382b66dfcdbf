-- Nothing to do: SQLite has no partitions. What is too old is deleted a few rows at a time.
SELECT 1;
