-- Brings back up to `wanted` units of a lot that had expired (after `since`) and were written down: the
-- expiry is corrected by as much. A clawback takes them in the same breath, so what had expired never
-- becomes a debt, and the totals are those of a clawback that came before the expiry. Without `at_time`
-- and `the_day` they come back at the instant of the expiry, on its day unless its books are closed: it
-- was none.
CREATE OR REPLACE FUNCTION ledger_unexpire(
    the_lot bigint, wanted bigint, the_key text, at_time timestamptz, the_day date, the_source text,
    at_now timestamptz, since timestamptz DEFAULT '-infinity'
) RETURNS void
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
DECLARE
    missing bigint := wanted;
    part bigint;
    t_id bigint;
    gone record;
    lot record;
BEGIN
    FOR gone IN
        SELECT x.id, x.wallet_type_id, x.from_account_id, x.to_account_id, x.wallet_id, x.request_hash,
               x.occurred_at, greatest(x.booked_on, o.open_from) AS day,
               u.amount - coalesce((SELECT sum(c.amount) FROM loyalty_transfer c
                                     WHERE c.corrects_id = x.id), 0) AS remains
          FROM loyalty_lotuse u JOIN loyalty_transfer x ON x.id = u.transfer_id
          JOIN loyalty_wallettype t ON t.id = x.wallet_type_id
          LEFT JOIN ledger_open_days() o ON o.program_id = t.program_id
         WHERE u.lot_id = the_lot AND x.kind = 'expiry' AND x.occurred_at > since
         ORDER BY x.id DESC
    LOOP
        EXIT WHEN missing <= 0;
        part := least(missing, gone.remains);
        CONTINUE WHEN part <= 0;
        t_id := nextval('loyalty_transfer_id_seq');
        INSERT INTO loyalty_transfer (
            id, kind, wallet_type_id, from_account_id, to_account_id, wallet_id, amount, occurred_at,
            recorded_at, booked_on, key, request_hash, source, corrects_id, explanation, reason, note)
        OVERRIDING SYSTEM VALUE
        VALUES (t_id, 'reinstatement', gone.wallet_type_id, gone.to_account_id, gone.from_account_id,
                gone.wallet_id, part, coalesce(at_time, gone.occurred_at), at_now,
                coalesce(the_day, gone.day), the_key || ':expired:' || gone.id, gone.request_hash,
                the_source, gone.id, '{"code": "taken_back"}', '', '');
        INSERT INTO loyalty_lotuse (lot_id, transfer_id, amount) VALUES (the_lot, t_id, -part);
        UPDATE loyalty_lot
           SET remaining = remaining + part, due_at = coalesce(expires_at, '9999-12-31 00:00:00+00')
         WHERE id = the_lot RETURNING * INTO lot;
        -- It may have been given more time since: see `ledger_use` for what the balance counts.
        UPDATE loyalty_wallet
           SET balance = balance + CASE WHEN lot.spendable_at < next_change_at THEN part ELSE 0 END,
               pending = pending + CASE WHEN lot.spendable_at >= next_change_at THEN part ELSE 0 END
         WHERE id = lot.wallet_id AND lot.due_at >= next_change_at;
        missing := missing - part;
    END LOOP;
END;
$$;
