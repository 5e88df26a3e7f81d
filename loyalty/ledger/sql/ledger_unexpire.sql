-- Brings back up to `wanted` units of a lot that had expired and were written down, for a clawback that
-- takes them in the same breath: the expiry is corrected by as much. So what had expired never becomes
-- a debt, and the totals are those of a clawback that came before the expiry.
CREATE OR REPLACE FUNCTION ledger_unexpire(
    the_lot bigint, wanted bigint, the_key text, at_time timestamptz, the_day date, the_source text,
    at_now timestamptz
) RETURNS void
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
DECLARE
    missing bigint := wanted;
    part bigint;
    t_id bigint;
    gone record;
BEGIN
    FOR gone IN
        SELECT x.id, x.wallet_type_id, x.from_account_id, x.to_account_id, x.wallet_id, x.request_hash,
               u.amount - coalesce((SELECT sum(c.amount) FROM loyalty_transfer c
                                     WHERE c.corrects_id = x.id), 0) AS remains
          FROM loyalty_lotuse u JOIN loyalty_transfer x ON x.id = u.transfer_id
         WHERE u.lot_id = the_lot AND x.kind = 'expiry'
         ORDER BY x.id DESC
    LOOP
        EXIT WHEN missing <= 0;
        part := least(missing, gone.remains);
        CONTINUE WHEN part <= 0;
        t_id := nextval(pg_get_serial_sequence('loyalty_transfer', 'id'));
        INSERT INTO loyalty_transfer (
            id, kind, wallet_type_id, from_account_id, to_account_id, wallet_id, amount, occurred_at,
            recorded_at, booked_on, key, request_hash, source, corrects_id, explanation, reason, note)
        OVERRIDING SYSTEM VALUE
        VALUES (t_id, 'reinstatement', gone.wallet_type_id, gone.to_account_id, gone.from_account_id,
                gone.wallet_id, part, at_time, at_now, the_day, the_key || ':expired:' || gone.id,
                gone.request_hash, the_source, gone.id, '{"code": "taken_back"}', '', '');
        INSERT INTO loyalty_lotuse (lot_id, transfer_id, amount) VALUES (the_lot, t_id, -part);
        UPDATE loyalty_lot
           SET remaining = remaining + part, due_at = coalesce(expires_at, '9999-12-31 00:00:00+00')
         WHERE id = the_lot;
        missing := missing - part;
    END LOOP;
END;
$$;
