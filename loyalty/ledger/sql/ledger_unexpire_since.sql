-- Brings back up to `wanted` units of a wallet that expired after `at_time` and were written down, those
-- that expired first before others, for a movement of `at_time` that is told late.
CREATE OR REPLACE FUNCTION ledger_unexpire_since(
    the_wallet bigint, wanted bigint, the_key text, at_time timestamptz, the_day date, the_source text,
    at_now timestamptz
) RETURNS void
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
DECLARE
    missing bigint := wanted;
    before bigint;
    gone record;
BEGIN
    FOR gone IN
        SELECT DISTINCT ON (x.occurred_at, u.lot_id) u.lot_id
          FROM loyalty_transfer x JOIN loyalty_lotuse u ON u.transfer_id = x.id
         WHERE x.wallet_id = the_wallet AND x.kind = 'expiry' AND x.occurred_at > at_time
         ORDER BY x.occurred_at, u.lot_id
    LOOP
        EXIT WHEN missing <= 0;
        SELECT remaining INTO before FROM loyalty_lot WHERE id = gone.lot_id;
        PERFORM ledger_unexpire(gone.lot_id, missing, the_key, at_time, the_day, the_source, at_now);
        missing := missing + before - (SELECT remaining FROM loyalty_lot WHERE id = gone.lot_id);
    END LOOP;
END;
$$;
