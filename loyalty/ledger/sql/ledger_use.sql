-- Uses up to `wanted` units of one lot for a transfer, whatever the lot's state, and returns how many.
-- The wallet's stored balance follows. Callers hold the wallet lock and have refreshed it.
CREATE OR REPLACE FUNCTION ledger_use(
    the_lot bigint, the_transfer bigint, wanted bigint, at_now timestamptz
) RETURNS bigint
LANGUAGE plpgsql
-- Planning anew costs more than running; and a plan made while a table was small must not scan it
-- once it is large.
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
DECLARE
    lot record;
    part bigint;
BEGIN
    SELECT wallet_id, remaining, spendable_at, due_at INTO lot FROM loyalty_lot WHERE id = the_lot;
    part := least(lot.remaining, wanted);
    IF part <= 0 THEN
        RETURN 0;
    END IF;
    UPDATE loyalty_lot
       SET remaining = remaining - part,
           due_at = CASE WHEN remaining = part THEN NULL ELSE due_at END
     WHERE id = the_lot;
    INSERT INTO loyalty_lotuse (lot_id, transfer_id, amount) VALUES (the_lot, the_transfer, part);
    -- The stored balance counts the lots that end at its next change or later, and those as matured that
    -- had matured before it. Not `at_now` decides: a clock that is ahead of ours may have brought it up
    -- to date.
    UPDATE loyalty_wallet
       SET balance = balance - CASE WHEN lot.spendable_at < next_change_at THEN part ELSE 0 END,
           pending = pending - CASE WHEN lot.spendable_at >= next_change_at THEN part ELSE 0 END
     WHERE id = lot.wallet_id AND lot.due_at >= next_change_at;
    RETURN part;
END;
$$;
