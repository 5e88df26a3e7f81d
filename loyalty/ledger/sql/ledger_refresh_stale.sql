-- Brings stored balances up to `at_now`: at most `most` wallets with a key above `after`. Returns the last
-- key looked at (NULL: there are no more) and how many were out of date.
CREATE OR REPLACE FUNCTION ledger_refresh_stale(after bigint, most integer, at_now timestamptz)
RETURNS TABLE (last bigint, refreshed bigint)
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
    reached bigint;
    stale bigint[];
    first_id bigint := nextval('loyalty_transfer_id_seq');
BEGIN
    SELECT max(id), array_agg(id) FILTER (WHERE next_change_at <= at_now) INTO reached, stale
      FROM (SELECT id, next_change_at FROM loyalty_wallet WHERE id > after ORDER BY id LIMIT most) w;
    IF stale IS NOT NULL THEN
        PERFORM 1 FROM loyalty_wallet WHERE id = ANY (stale) ORDER BY id FOR NO KEY UPDATE;
        -- Others may have brought some up to date while we waited.
        SELECT array_agg(id) INTO stale FROM loyalty_wallet
         WHERE id = ANY (stale) AND next_change_at <= at_now;
        PERFORM ledger_catch_up(stale, at_now);
        PERFORM ledger_tell(first_id, stale, at_now);
    END IF;
    RETURN QUERY SELECT reached, coalesce(cardinality(stale), 0)::bigint;
END;
$$;
