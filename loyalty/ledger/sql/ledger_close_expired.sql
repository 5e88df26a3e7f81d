-- A wallet that owes something holds no lot that had expired when it came: see `ledger_expire`.
CREATE OR REPLACE FUNCTION ledger_close_expired(the_wallet bigint, at_now timestamptz) RETURNS void
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
BEGIN
    IF (SELECT owed > 0 FROM loyalty_wallet WHERE id = the_wallet) THEN
        PERFORM ledger_expire(
            ARRAY(SELECT id FROM loyalty_lot WHERE wallet_id = the_wallet AND due_at <= at_now),
            false, 'job', at_now);
    END IF;
END;
$$;
