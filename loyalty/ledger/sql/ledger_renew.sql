-- Inactivity: something happened in a wallet at `at_time`, which keeps its renewable units until
-- `keeps_until`. If the units had expired by then, that is written on their lots first; if they would
-- have expired later, as far as was known, they have not. Without `is_activity` only a first end is set.
CREATE OR REPLACE FUNCTION ledger_renew(
    the_wallet bigint, at_time timestamptz, keeps_until timestamptz, is_activity boolean
) RETURNS void
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
DECLARE
    ends timestamptz;
BEGIN
    SELECT active_until INTO ends FROM loyalty_wallet WHERE id = the_wallet;
    IF ends <= at_time THEN
        UPDATE loyalty_lot SET expires_at = ends, due_at = ends
         WHERE wallet_id = the_wallet AND due_at IS NOT NULL AND renewable AND expires_at IS NULL;
        ends := NULL;
    END IF;
    IF is_activity THEN
        UPDATE loyalty_lot SET expires_at = NULL, due_at = '9999-12-31 00:00:00+00'
         WHERE wallet_id = the_wallet AND due_at IS NOT NULL AND renewable AND expires_at > at_time
           AND earned_at <= at_time;
    END IF;
    IF is_activity OR ends IS NULL THEN
        UPDATE loyalty_wallet SET active_until = greatest(ends, keeps_until) WHERE id = the_wallet;
    END IF;
END;
$$;
