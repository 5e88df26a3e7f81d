-- For a movement out that is told late (`e`): takes up to `wanted` units that expired after its time,
-- written down since or not, those that expired first before others; with `fifo` all units, the oldest
-- first. Only what it may take: see `ledger_take`. Returns what is still missing.
CREATE OR REPLACE FUNCTION ledger_take_late(
    e jsonb, the_transfer bigint, wanted bigint, own_lots bigint[], at_now timestamptz
) RETURNS bigint
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
DECLARE
    the_wallet bigint := (e->>'w')::bigint;
    at_time timestamptz := (e->>'at')::timestamptz;
    oldest boolean := coalesce((e->>'fifo')::boolean, false);
    missing bigint := wanted;
    lot record;
BEGIN
    FOR lot IN
        SELECT l.id, l.remaining
          FROM (
            SELECT u.lot_id AS id, x.occurred_at AS ended
              FROM loyalty_transfer x JOIN loyalty_lotuse u ON u.transfer_id = x.id
             WHERE x.wallet_id = the_wallet AND x.kind = 'expiry' AND x.occurred_at > at_time
               AND x.amount > coalesce((SELECT sum(c.amount) FROM loyalty_transfer c
                                         WHERE c.corrects_id = x.id), 0)
             UNION ALL
            SELECT o.id, o.due_at FROM loyalty_lot o
             WHERE o.wallet_id = the_wallet AND o.due_at IS NOT NULL AND o.due_at > at_time
               AND (oldest OR o.due_at <= at_now)
          ) found
          JOIN loyalty_lot l ON l.id = found.id
         WHERE l.id <> ALL (own_lots)
           AND (coalesce((e->>'pend')::boolean, false) OR l.spendable_at <= at_time)
           AND (e->>'wo' IS NULL OR l.earned_at <= at_time)
         GROUP BY l.id
         ORDER BY CASE WHEN oldest THEN l.earned_at ELSE min(found.ended) END, l.id
    LOOP
        EXIT WHEN missing = 0;
        PERFORM ledger_unexpire(lot.id, missing - lot.remaining, e->>'key', at_time, (e->>'day')::date,
                                e->>'src', at_now, at_time);
        missing := missing - ledger_use(lot.id, the_transfer, missing, at_now);
    END LOOP;
    RETURN missing;
END;
$$;
