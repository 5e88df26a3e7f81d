-- An activity at `at_time` keeps these lots, which had expired later by inactivity as far as was known.
-- Keeps what was, and tells the day. Callers hold the wallet locks.
CREATE OR REPLACE FUNCTION ledger_renew_lots(
    lot_ids bigint[], at_time timestamptz, at_now timestamptz
) RETURNS void
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
BEGIN
    PERFORM ledger_hold_books();
    WITH kept AS MATERIALIZED (
        SELECT l.id, l.spendable_at, l.expires_at, w.wallet_type_id,
               greatest((at_time AT TIME ZONE p.time_zone)::date, o.open_from) AS day
          FROM loyalty_lot l
          JOIN loyalty_wallet w ON w.id = l.wallet_id
          JOIN loyalty_wallettype t ON t.id = w.wallet_type_id
          JOIN loyalty_program p ON p.id = t.program_id
          LEFT JOIN ledger_open_days() o ON o.program_id = p.id
         WHERE l.id = ANY (lot_ids) AND l.expires_at IS NOT NULL
    ), noted AS (
        INSERT INTO loyalty_lotchange (
            lot_id, reason, occurred_at, recorded_at, booked_on, spendable_before, spendable_after,
            expires_before, expires_after, note)
        SELECT id, 'renewed', at_time, at_now, day, spendable_at, spendable_at, expires_at, NULL, ''
          FROM kept
    ), told AS (
        INSERT INTO members_outboxevent (kind, payload, created_at, available_at, attempts, last_error)
        SELECT 'ledger.posted',
               jsonb_build_object('days', jsonb_agg(DISTINCT jsonb_build_array(wallet_type_id, day))),
               at_now, at_now, 0, ''
          FROM kept HAVING count(*) > 0
    )
    UPDATE loyalty_lot l
       SET expires_at = NULL,
           due_at = CASE WHEN l.remaining > 0 THEN timestamptz '9999-12-31 00:00:00+00' END
      FROM kept WHERE l.id = kept.id;
END;
$$;
