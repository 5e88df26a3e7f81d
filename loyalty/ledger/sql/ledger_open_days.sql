-- From which day on may be booked, for each program that has closed books.
CREATE OR REPLACE FUNCTION ledger_open_days() RETURNS TABLE (program_id bigint, open_from date)
LANGUAGE sql STABLE AS $$
    SELECT c.program_id, max(c.until) + 1 FROM loyalty_closedperiod c
     WHERE c.reopened_at IS NULL GROUP BY c.program_id;
$$;
