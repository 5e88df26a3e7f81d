-- Units that an expiry (`cor`) took come back to their lot, which expires at `ex` from now on, or later if
-- some of it came back before and lasts longer. Where the wallet owes something, they repay it first.
CREATE OR REPLACE FUNCTION ledger_reinstate(e jsonb, t_id bigint, at_now timestamptz) RETURNS void
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
DECLARE
    units bigint := (e->>'n')::bigint;
    ends timestamptz := (e->>'ex')::timestamptz;
    repaid bigint := 0;
    lot record;
    w record;
BEGIN
    SELECT l.* INTO lot FROM loyalty_lotuse u JOIN loyalty_lot l ON l.id = u.lot_id
     WHERE u.transfer_id = (e->>'cor')::bigint;
    IF lot.due_at <= at_now THEN
        -- Only these units come back, not what of the lot has expired otherwise.
        PERFORM ledger_expire(ARRAY[lot.id], false, 'job', at_now);
    ELSE
        ends := greatest(ends, lot.due_at);
    END IF;
    SELECT * INTO w FROM loyalty_wallet WHERE id = lot.wallet_id;
    IF w.owed > 0 AND NOT w.debt_blocks THEN
        repaid := least(w.owed, units);
        UPDATE loyalty_wallet SET owed = owed - repaid WHERE id = lot.wallet_id;
    END IF;
    PERFORM ledger_transfer(e, t_id, units, -repaid, true, at_now);
    INSERT INTO loyalty_lotchange (
        lot_id, reason, occurred_at, recorded_at, booked_on, spendable_before, spendable_after,
        expires_before, expires_after, actor_id, note)
    VALUES (lot.id, 'reinstated', (e->>'at')::timestamptz, at_now, (e->>'day')::date, lot.spendable_at,
            lot.spendable_at, lot.expires_at, ends, (e->>'actor')::bigint, coalesce(e->>'note', ''));
    UPDATE loyalty_lot
       SET remaining = remaining + units - repaid, expires_at = ends, renewable = false,
           due_at = CASE WHEN remaining + units > repaid THEN ends END
     WHERE id = lot.id;
    IF units > repaid THEN
        INSERT INTO loyalty_lotuse (lot_id, transfer_id, amount) VALUES (lot.id, t_id, repaid - units);
    END IF;
    PERFORM ledger_refresh(ARRAY[lot.wallet_id], at_now);
END;
$$;
