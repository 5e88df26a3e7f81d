-- A spend is undone, as a whole (`rev`) or in part (`cor`): the same lots get their units back, the ones
-- that expire last first. With `grace` they do not expire before that instant. Where units expire by
-- inactivity and the wallet has been idle for too long, they have expired; not so in a merged wallet whose
-- holder was active since, under the other name.
CREATE OR REPLACE FUNCTION ledger_back(e jsonb, t_id bigint, at_now timestamptz) RETURNS void
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
DECLARE
    target bigint := coalesce((e->>'rev')::bigint, (e->>'cor')::bigint);
    grace timestamptz := (e->>'grace')::timestamptz;
    idle boolean := NOT EXISTS (
        SELECT 1 FROM loyalty_wallet w JOIN loyalty_wallet k ON k.id IN (w.id, w.merged_into_id)
         WHERE w.id = (e->>'w')::bigint AND k.active_until IS NOT NULL);
    missing bigint := (e->>'n')::bigint;
    part bigint;
    used record;
BEGIN
    IF EXISTS (SELECT 1 FROM loyalty_transfer WHERE id = target AND debt_change <> 0) THEN
        RAISE EXCEPTION 'transfer % left a debt and cannot be reversed', target
            USING ERRCODE = 'SL005', DETAIL = e->>'key';
    END IF;
    PERFORM ledger_transfer(e, t_id, missing, 0, true, at_now);
    FOR used IN
        SELECT u.lot_id, l.spendable_at, l.expires_at, l.renewable,
               u.amount + coalesce((
                   SELECT sum(b.amount) FROM loyalty_lotuse b
                     JOIN loyalty_transfer t ON t.id = b.transfer_id
                    WHERE b.lot_id = u.lot_id AND coalesce(t.reverses_id, t.corrects_id) = target), 0) AS left_out
          FROM loyalty_lotuse u JOIN loyalty_lot l ON l.id = u.lot_id
         WHERE u.transfer_id = target
         ORDER BY l.expires_at DESC NULLS FIRST, l.id DESC
    LOOP
        part := least(missing, used.left_out);
        EXIT WHEN missing = 0;
        CONTINUE WHEN part <= 0;
        IF used.renewable AND used.expires_at IS NULL AND idle THEN
            used.expires_at := at_now;
            INSERT INTO loyalty_lotchange (
                lot_id, reason, occurred_at, recorded_at, booked_on, spendable_before, spendable_after,
                expires_before, expires_after, note)
            VALUES (used.lot_id, 'inactive', at_now, at_now, (e->>'day')::date, used.spendable_at,
                    used.spendable_at, NULL, at_now, '');
            UPDATE loyalty_lot SET expires_at = at_now WHERE id = used.lot_id;
        END IF;
        IF used.expires_at < grace THEN
            -- For the units that come back, not for what of the lot has expired.
            PERFORM ledger_expire(ARRAY[used.lot_id], false, 'job', at_now);
            INSERT INTO loyalty_lotchange (
                lot_id, reason, occurred_at, recorded_at, booked_on, spendable_before, spendable_after,
                expires_before, expires_after, note)
            VALUES (used.lot_id, 'restored', (e->>'at')::timestamptz, at_now, (e->>'day')::date,
                    used.spendable_at, used.spendable_at, used.expires_at, grace, '');
            UPDATE loyalty_lot SET expires_at = grace WHERE id = used.lot_id;
        END IF;
        UPDATE loyalty_lot
           SET remaining = remaining + part, due_at = coalesce(expires_at, '9999-12-31 00:00:00+00')
         WHERE id = used.lot_id;
        INSERT INTO loyalty_lotuse (lot_id, transfer_id, amount) VALUES (used.lot_id, t_id, -part);
        missing := missing - part;
    END LOOP;
    PERFORM ledger_refresh(ARRAY[(e->>'w')::bigint], at_now);
    PERFORM ledger_close_expired((e->>'w')::bigint, at_now);
END;
$$;
