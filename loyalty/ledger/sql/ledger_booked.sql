-- The movements, with those of closed books on the first open day.
CREATE OR REPLACE FUNCTION ledger_booked(entries jsonb) RETURNS jsonb
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
DECLARE
    closed date;
BEGIN
    PERFORM ledger_hold_books();
    SELECT max(until) INTO closed FROM loyalty_closedperiod WHERE reopened_at IS NULL;
    IF closed IS NULL
       OR closed < (SELECT min(x.day) FROM jsonb_to_recordset(entries) AS x(day date)) THEN
        RETURN entries;
    END IF;
    RETURN (
        SELECT jsonb_agg(CASE WHEN o.open_from > (x.entry->>'day')::date
                              THEN x.entry || jsonb_build_object('day', o.open_from)
                              ELSE x.entry END ORDER BY x.ord)
          FROM jsonb_array_elements(entries) WITH ORDINALITY AS x(entry, ord)
          JOIN loyalty_wallettype t ON t.id = (x.entry->>'wt')::bigint
          LEFT JOIN ledger_open_days() o ON o.program_id = t.program_id);
END;
$$;
