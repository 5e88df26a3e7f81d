-- Takes up to `wanted` units out of a wallet's lots for one transfer and returns what it could not take.
-- The lot of `own_transfer` goes first, whatever its state; then, first-expiring first, the lots that were
-- not lapsed at `at_time` (and matured by then, unless `with_pending`). Stops as soon as enough is found,
-- so the cost does not grow with the lots held. Callers hold the wallet lock and have refreshed it.
CREATE OR REPLACE FUNCTION ledger_take(
    the_wallet bigint, the_transfer bigint, wanted bigint, own_transfer bigint,
    with_pending boolean, at_time timestamptz, at_now timestamptz
) RETURNS bigint
LANGUAGE plpgsql
-- Planning anew costs more than running; and a plan made while a table was small must not scan it
-- once it is large.
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
DECLARE
    missing bigint := wanted;
    part bigint;
    from_balance bigint := 0;
    from_pending bigint := 0;
    lot record;
BEGIN
    FOR lot IN
        (SELECT id, remaining, spendable_at, due_at FROM loyalty_lot
          WHERE transfer_id = own_transfer AND wallet_id = the_wallet AND due_at IS NOT NULL)
        UNION ALL
        (SELECT id, remaining, spendable_at, due_at FROM loyalty_lot
          WHERE wallet_id = the_wallet AND due_at IS NOT NULL AND due_at > at_time
            AND (with_pending OR spendable_at <= at_time)
            AND transfer_id IS DISTINCT FROM own_transfer
          ORDER BY due_at, id)
    LOOP
        EXIT WHEN missing = 0;
        part := least(lot.remaining, missing);
        UPDATE loyalty_lot
           SET remaining = remaining - part,
               due_at = CASE WHEN remaining = part THEN NULL ELSE due_at END
         WHERE id = lot.id;
        INSERT INTO loyalty_lotuse (lot_id, transfer_id, amount) VALUES (lot.id, the_transfer, part);
        missing := missing - part;
        IF lot.due_at > at_now THEN
            IF lot.spendable_at <= at_now THEN
                from_balance := from_balance + part;
            ELSE
                from_pending := from_pending + part;
            END IF;
        END IF;
    END LOOP;
    IF from_balance > 0 OR from_pending > 0 THEN
        UPDATE loyalty_wallet
           SET balance = balance - from_balance, pending = pending - from_pending
         WHERE id = the_wallet;
    END IF;
    RETURN missing;
END;
$$;
