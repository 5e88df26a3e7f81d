-- Brings wallets up to `at_now` whose stored balances are not. What expired while something was owed has
-- settled it, before anything else does. Callers hold the wallet locks. Returns how many lots were closed.
CREATE OR REPLACE FUNCTION ledger_catch_up(wallet_ids bigint[], at_now timestamptz) RETURNS bigint
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
DECLARE
    stale bigint[];
    owing bigint[];
BEGIN
    SELECT array_agg(id), array_agg(id) FILTER (WHERE owed > 0) INTO stale, owing
      FROM loyalty_wallet WHERE id = ANY (wallet_ids) AND next_change_at <= at_now;
    IF stale IS NULL THEN
        RETURN 0;
    END IF;
    PERFORM ledger_refresh(stale, at_now);
    IF owing IS NULL THEN
        RETURN 0;
    END IF;
    RETURN ledger_expire(
        ARRAY(SELECT id FROM loyalty_lot WHERE wallet_id = ANY (owing) AND due_at <= at_now),
        true, 'job', at_now);
END;
$$;
