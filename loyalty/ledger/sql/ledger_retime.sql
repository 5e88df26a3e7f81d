-- Gives lots another maturity or expiry, and keeps what was. `changes` is an array of objects:
--   lot, sp, ex, plan  the lot; its maturity, expiry (null: never) and planned expiry from now on
--   reason, at, actor, note   why (`LotChange.Reason`), business time, who
-- Lots that are like that already are left alone. Locks the wallets in id order. Returns how many changed.
CREATE OR REPLACE FUNCTION ledger_retime(changes jsonb, at_now timestamptz) RETURNS bigint
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
DECLARE
    wallets bigint[];
    changed bigint;
BEGIN
    SELECT array_agg(DISTINCT l.wallet_id) INTO wallets
      FROM jsonb_to_recordset(changes) AS c(lot bigint) JOIN loyalty_lot l ON l.id = c.lot;
    PERFORM 1 FROM loyalty_wallet WHERE id = ANY (wallets) ORDER BY id FOR NO KEY UPDATE;
    WITH wanted AS MATERIALIZED (
        SELECT c.*, l.spendable_at AS was_sp, l.expires_at AS was_ex
          FROM jsonb_to_recordset(changes) AS c(
            lot bigint, sp timestamptz, ex timestamptz, plan timestamptz, reason text, at timestamptz,
            actor bigint, note text)
          JOIN loyalty_lot l ON l.id = c.lot
         WHERE (l.spendable_at, l.expires_at, l.planned_expires_at)
               IS DISTINCT FROM (c.sp, c.ex, c.plan)
    ), noted AS (
        INSERT INTO loyalty_lotchange (
            lot_id, reason, occurred_at, recorded_at, spendable_before, spendable_after, expires_before,
            expires_after, actor_id, note)
        SELECT lot, reason, at, at_now, was_sp, sp, was_ex, ex, actor, coalesce(note, '') FROM wanted
    )
    UPDATE loyalty_lot l
       SET spendable_at = c.sp, expires_at = c.ex, planned_expires_at = c.plan,
           renewable = l.renewable AND c.reason <> 'policy',
           due_at = CASE WHEN l.remaining > 0 THEN coalesce(c.ex, '9999-12-31 00:00:00+00') END
      FROM wanted c WHERE l.id = c.lot;
    GET DIAGNOSTICS changed = ROW_COUNT;
    PERFORM ledger_refresh(wallets, at_now);
    RETURN changed;
END;
$$;
