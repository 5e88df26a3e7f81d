-- An activity (`e`) that is told late renewed units whose expiry was written down since: see
-- `ledger_renew`, which is called before.
CREATE OR REPLACE FUNCTION ledger_unexpire_renewed(
    e jsonb, the_wallet bigint, at_now timestamptz
) RETURNS void
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
DECLARE
    at_time timestamptz := (e->>'at')::timestamptz;
    gone record;
BEGIN
    IF at_time >= at_now OR NOT coalesce((e->>'act')::boolean, false) THEN
        RETURN;
    END IF;
    FOR gone IN
        SELECT l.id, l.granted
          FROM loyalty_transfer x JOIN loyalty_lotuse u ON u.transfer_id = x.id
          JOIN loyalty_lot l ON l.id = u.lot_id
         WHERE x.wallet_id = the_wallet AND x.kind = 'expiry' AND x.occurred_at > at_time
           AND l.renewable AND l.earned_at <= at_time
         GROUP BY l.id
         ORDER BY l.id
    LOOP
        PERFORM ledger_renew_lots(ARRAY[gone.id], at_time, at_now);
        PERFORM ledger_unexpire(gone.id, gone.granted, 'renewed', NULL, NULL, e->>'src', at_now, at_time);
    END LOOP;
END;
$$;
