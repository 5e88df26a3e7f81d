-- Takes up to `wanted` units out of a wallet's lots for one transfer and returns what it could not take.
-- First-expiring first, or with `oldest_first` those earned first; of the lots that had not lapsed at
-- `at_time` (and had matured by then, unless `with_pending`; and had been earned by then, if
-- `earned_by_then`). Lots in `own_lots` are left out: they had their turn. Stops as soon as enough is
-- found, so the cost does not grow with the lots held. Callers hold the wallet lock and have refreshed it.
-- For what is told late see `ledger_take_late` too.
CREATE OR REPLACE FUNCTION ledger_take(
    the_wallet bigint, the_transfer bigint, wanted bigint, own_lots bigint[], with_pending boolean,
    oldest_first boolean, earned_by_then boolean, at_time timestamptz, at_now timestamptz
) RETURNS bigint
LANGUAGE plpgsql
-- Planning anew costs more than running; and a plan made while a table was small must not scan it
-- once it is large.
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
DECLARE
    missing bigint := wanted;
    lot record;
BEGIN
    IF oldest_first THEN
        FOR lot IN
            SELECT id FROM loyalty_lot
             WHERE wallet_id = the_wallet AND due_at IS NOT NULL AND due_at > at_time
               AND (with_pending OR spendable_at <= at_time) AND id <> ALL (own_lots)
               AND (NOT earned_by_then OR earned_at <= at_time)
             ORDER BY earned_at, id
        LOOP
            EXIT WHEN missing = 0;
            missing := missing - ledger_use(lot.id, the_transfer, missing, at_now);
        END LOOP;
    ELSE
        FOR lot IN
            SELECT id FROM loyalty_lot
             WHERE wallet_id = the_wallet AND due_at IS NOT NULL AND due_at > at_time
               AND (with_pending OR spendable_at <= at_time) AND id <> ALL (own_lots)
               AND (NOT earned_by_then OR earned_at <= at_time)
             ORDER BY due_at, id
        LOOP
            EXIT WHEN missing = 0;
            missing := missing - ledger_use(lot.id, the_transfer, missing, at_now);
        END LOOP;
    END IF;
    RETURN missing;
END;
$$;
