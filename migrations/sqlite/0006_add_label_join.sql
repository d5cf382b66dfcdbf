-- Nothing to do: SQLite keeps no functions, and runs a subquery only where its value is asked for. The
-- statement that merges says how labels are joined.
SELECT 1;
