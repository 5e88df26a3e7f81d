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
    lots refcursor;
    lot record;
    part bigint;
    matured bigint := 0;
    waiting bigint := 0;
    exact_until timestamptz := (SELECT next_change_at FROM loyalty_wallet WHERE id = the_wallet);
BEGIN
    IF oldest_first THEN
        OPEN lots FOR
            SELECT id, remaining, spendable_at, due_at FROM loyalty_lot
             WHERE wallet_id = the_wallet AND due_at IS NOT NULL AND due_at > at_time
               AND (with_pending OR spendable_at <= at_time) AND id <> ALL (own_lots)
               AND (NOT earned_by_then OR earned_at <= at_time)
             ORDER BY earned_at, id;
    ELSE
        OPEN lots FOR
            SELECT id, remaining, spendable_at, due_at FROM loyalty_lot
             WHERE wallet_id = the_wallet AND due_at IS NOT NULL AND due_at > at_time
               AND (with_pending OR spendable_at <= at_time) AND id <> ALL (own_lots)
               AND (NOT earned_by_then OR earned_at <= at_time)
             ORDER BY due_at, id;
    END IF;
    WHILE missing > 0 LOOP
        FETCH lots INTO lot;
        EXIT WHEN NOT FOUND;
        part := least(lot.remaining, missing);
        UPDATE loyalty_lot
           SET remaining = remaining - part, due_at = CASE WHEN remaining > part THEN due_at END
         WHERE id = lot.id;
        INSERT INTO loyalty_lotuse (lot_id, transfer_id, amount) VALUES (lot.id, the_transfer, part);
        missing := missing - part;
        -- As in `ledger_use`, for all lots at once.
        IF lot.due_at >= exact_until AND lot.spendable_at < exact_until THEN
            matured := matured + part;
        ELSIF lot.due_at >= exact_until THEN
            waiting := waiting + part;
        END IF;
    END LOOP;
    CLOSE lots;
    IF matured > 0 OR waiting > 0 THEN
        UPDATE loyalty_wallet SET balance = balance - matured, pending = pending - waiting
         WHERE id = the_wallet;
    END IF;
    RETURN missing;
END;
$$;
