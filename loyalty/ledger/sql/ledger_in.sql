-- Units arrive as a new lot. Matured ones repay the debt first (unless the debt blocks instead);
-- pending ones do so as they mature, since what can be spent is balance minus owed.
CREATE OR REPLACE FUNCTION ledger_in(e jsonb, t_id bigint, at_now timestamptz) RETURNS void
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
DECLARE
    the_wallet bigint := (e->>'w')::bigint;
    units bigint := (e->>'n')::bigint;
    spendable timestamptz := (e->>'sp')::timestamptz;
    expires timestamptz := (e->>'ex')::timestamptz;
    repaid bigint := 0;
    new_lot bigint;
    w record;
BEGIN
    IF e->>'until' IS NOT NULL THEN
        PERFORM ledger_renew(the_wallet, (e->>'at')::timestamptz, (e->>'until')::timestamptz,
                             coalesce((e->>'act')::boolean, false), at_now);
        PERFORM ledger_unexpire_renewed(e, the_wallet, at_now);
    END IF;
    SELECT owed, debt_blocks, active_until INTO w FROM loyalty_wallet WHERE id = the_wallet;
    IF NOT w.debt_blocks AND spendable <= at_now
       AND coalesce(expires, CASE WHEN (e->>'ren')::boolean THEN w.active_until END, 'infinity') > at_now THEN
        repaid := least(w.owed, units);
    END IF;
    PERFORM ledger_transfer(e, t_id, units, -repaid, true, at_now);
    INSERT INTO loyalty_lot (wallet_id, transfer_id, origin_id, earned_at, granted, remaining, spendable_at,
                             expires_at, planned_expires_at, renewable, due_at, policy_id)
    VALUES (the_wallet, t_id, t_id, (e->>'at')::timestamptz, units, units - repaid, spendable, expires,
            (e->>'plan')::timestamptz, coalesce((e->>'ren')::boolean, false),
            CASE WHEN units > repaid THEN coalesce(expires, '9999-12-31 00:00:00+00') END,
            (e->>'pol')::bigint)
    RETURNING id INTO new_lot;
    IF repaid > 0 THEN
        INSERT INTO loyalty_lotuse (lot_id, transfer_id, amount) VALUES (new_lot, t_id, repaid);
        UPDATE loyalty_wallet SET owed = owed - repaid WHERE id = the_wallet;
    END IF;
    PERFORM ledger_refresh(ARRAY[the_wallet], at_now);
    PERFORM ledger_close_expired(the_wallet, at_now);
END;
$$;
