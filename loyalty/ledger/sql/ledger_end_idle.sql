-- Nothing happened in these wallets for too long: from now on their renewable lots themselves say when they
-- expired. Keeps what was, and tells the days. Callers hold the wallet locks and take the end off the wallets.
CREATE OR REPLACE FUNCTION ledger_end_idle(wallet_ids bigint[], at_now timestamptz) RETURNS void
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
BEGIN
    PERFORM ledger_hold_books();
    WITH ended AS (
        UPDATE loyalty_lot l SET expires_at = w.active_until, due_at = w.active_until
          FROM loyalty_wallet w
         WHERE w.id = ANY (wallet_ids) AND l.wallet_id = w.id AND l.due_at IS NOT NULL AND l.renewable
           AND l.expires_at IS NULL
        RETURNING l.id, l.spendable_at, w.active_until AS ends, w.wallet_type_id
    ), booked AS (
        SELECT e.*, greatest((e.ends AT TIME ZONE p.time_zone)::date, o.open_from) AS day
          FROM ended e
          JOIN loyalty_wallettype t ON t.id = e.wallet_type_id
          JOIN loyalty_program p ON p.id = t.program_id
          LEFT JOIN ledger_open_days() o ON o.program_id = p.id
    ), noted AS (
        INSERT INTO loyalty_lotchange (
            lot_id, reason, occurred_at, recorded_at, booked_on, spendable_before, spendable_after,
            expires_before, expires_after, note)
        SELECT id, 'inactive', ends, at_now, day, spendable_at, spendable_at, NULL, ends, '' FROM booked
    )
    INSERT INTO members_outboxevent (kind, payload, created_at, available_at, attempts, last_error)
    SELECT 'ledger.posted', jsonb_build_object('days', jsonb_agg(DISTINCT jsonb_build_array(wallet_type_id, day))),
           at_now, at_now, 0, ''
      FROM booked HAVING count(*) > 0;
END;
$$;
