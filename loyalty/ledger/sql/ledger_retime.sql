-- Gives lots another maturity or expiry, and keeps what was. `changes` is an array of objects:
--   lot, sp, ex, plan  the lot; its maturity, expiry (null: never) and planned expiry from now on
--   reason, at, actor, note   why (`LotChange.Reason`), business time, who
-- Lots that are like that already are left alone, and so is what has expired. Units that have expired by
-- a change while something was owed settle it. Locks the wallets in id order. Returns how many changed.
CREATE OR REPLACE FUNCTION ledger_retime(changes jsonb, at_now timestamptz) RETURNS bigint
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
DECLARE
    wallets bigint[];
    changed bigint;
    lots bigint[];
    first_id bigint := nextval('loyalty_transfer_id_seq');
BEGIN
    PERFORM ledger_hold_books();
    SELECT array_agg(DISTINCT l.wallet_id) INTO wallets
      FROM jsonb_to_recordset(changes) AS c(lot bigint) JOIN loyalty_lot l ON l.id = c.lot;
    PERFORM 1 FROM loyalty_wallet WHERE id = ANY (wallets) ORDER BY id FOR NO KEY UPDATE;
    PERFORM ledger_catch_up(wallets, at_now);
    WITH wanted AS MATERIALIZED (
        SELECT c.*, l.spendable_at AS was_sp, l.expires_at AS was_ex, w.wallet_type_id,
               greatest((c.at AT TIME ZONE p.time_zone)::date, o.open_from) AS day
          FROM jsonb_to_recordset(changes) AS c(
            lot bigint, sp timestamptz, ex timestamptz, plan timestamptz, reason text, at timestamptz,
            actor bigint, note text)
          JOIN loyalty_lot l ON l.id = c.lot
          JOIN loyalty_wallet w ON w.id = l.wallet_id
          JOIN loyalty_wallettype t ON t.id = w.wallet_type_id
          JOIN loyalty_program p ON p.id = t.program_id
          LEFT JOIN ledger_open_days() o ON o.program_id = p.id
         WHERE ((l.spendable_at, l.expires_at, l.planned_expires_at)
                IS DISTINCT FROM (c.sp, c.ex, c.plan)
                -- While units wait, their terms may decide later: it is kept that they were applied.
                OR c.reason = 'policy' AND l.spendable_at > at_now
                   AND NOT EXISTS (SELECT 1 FROM loyalty_lotchange k
                                    WHERE k.lot_id = l.id AND k.reason = 'policy' AND k.occurred_at = c.at))
           AND coalesce(l.due_at, l.expires_at, '9999-12-31 00:00:00+00') > at_now
    ), noted AS (
        INSERT INTO loyalty_lotchange (
            lot_id, reason, occurred_at, recorded_at, booked_on, spendable_before, spendable_after,
            expires_before, expires_after, actor_id, note)
        SELECT lot, reason, at, at_now, day, was_sp, sp, was_ex, ex, actor, coalesce(note, '') FROM wanted
    ), told AS (
        -- What expires when concerns the daily figures, what matures when does not.
        INSERT INTO members_outboxevent (kind, payload, created_at, available_at, attempts, last_error)
        SELECT 'ledger.posted',
               jsonb_build_object('days', jsonb_agg(DISTINCT jsonb_build_array(wallet_type_id, day))),
               at_now, at_now, 0, ''
          FROM wanted WHERE was_ex IS DISTINCT FROM ex OR reason = 'policy'
        HAVING count(*) > 0
    )
    UPDATE loyalty_lot l
       SET spendable_at = c.sp, expires_at = c.ex, planned_expires_at = c.plan,
           renewable = l.renewable AND c.reason NOT IN ('policy', 'ending'),
           due_at = CASE WHEN l.remaining > 0 THEN coalesce(c.ex, '9999-12-31 00:00:00+00') END
      FROM wanted c WHERE l.id = c.lot;
    GET DIAGNOSTICS changed = ROW_COUNT;
    PERFORM ledger_refresh(wallets, at_now);
    SELECT array_agg(l.id) INTO lots
      FROM jsonb_to_recordset(changes) AS c(lot bigint) JOIN loyalty_lot l ON l.id = c.lot
      JOIN loyalty_wallet w ON w.id = l.wallet_id
     WHERE w.owed > 0 AND l.due_at <= at_now;
    IF lots IS NOT NULL THEN
        PERFORM ledger_expire(lots, true, 'job', at_now);
    END IF;
    PERFORM ledger_tell(first_id, wallets, at_now);
    RETURN changed;
END;
$$;
